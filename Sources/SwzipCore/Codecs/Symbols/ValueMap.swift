/// Numbers of up to 257 values: a table of 1,024 places, searched from a value's hash on.
struct ValueMap {
  private var values = [UInt64](repeating: 0, count: 1024)
  private var used = [Bool](repeating: false, count: 1024)
  private var indices = [UInt8](repeating: 0, count: 1024)

  private func place(of value: UInt64) -> Int {
    var place = Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) >> 54)
    while used[place], values[place] != value { place = (place + 1) & 1023 }
    return place
  }

  /// False if it is there.
  mutating func insert(_ value: UInt64) -> Bool {
    let place = place(of: value)
    guard !used[place] else { return false }
    used[place] = true
    values[place] = value
    return true
  }

  /// Forgets everything.
  mutating func clear() {
    for place in 0..<1024 { used[place] = false }
  }

  mutating func set(_ value: UInt64, _ index: UInt8) { indices[place(of: value)] = index }
  func index(of value: UInt64) -> UInt8 { indices[place(of: value)] }
}
