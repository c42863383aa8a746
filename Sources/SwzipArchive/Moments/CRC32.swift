/// The sum of zip archives: CRC-32 of the polynomial 04C11DB7, bits reversed.
struct CRC32 {
  private var rest: UInt32 = .max
  var value: UInt32 { ~rest }

  mutating func add(_ bytes: [UInt8]) {
    var rest = rest
    for byte in bytes { rest = Self.table[Int((rest ^ UInt32(byte)) & 0xFF)] ^ rest >> 8 }
    self.rest = rest
  }

  private static let table: [UInt32] = (0..<256).map { start in
    (0..<8).reduce(start) { rest, _ in rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0xEDB8_8320 }
  }
}
