import SwzipCore
import SwzipSamples
import Testing

/// Big-endian values are coded as their little-endian twins are, and come back as they were.
struct BigEndianTests {
  static let types = ElementType.allCases.filter(\.isSwapped)

  @Test func codes() {
    for type in Self.types {
      #expect(type.rawValue == type.native.rawValue + 32 && type.native.bigEndian == type)
      #expect(type.width == type.native.width && type.width > 1 && type.name == type.native.name + "_BE")
      #expect(type.isSigned == type.native.isSigned && !type.isBlock)
    }
    #expect(ElementType.u8.bigEndian == nil && ElementType.bytes.bigEndian == nil && ElementType.q40.bigEndian == nil)
    #expect(ElementType.safetensors.allSatisfy { !$0.isSwapped })
  }

  @Test(arguments: types, [1, 3, 7]) func comesBack(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    for pattern in Pattern.allCases {
      for count in [1, 100, 9000] {
        tester.roundTrip(pattern.bytes(type, count), type, level: level, "\(count) of \(pattern)")
      }
    }
  }

  @Test(arguments: types) func costsTheSame(type: ElementType) throws {
    let tester = try BlockTester()
    for pattern in [Pattern.weights, .rows, .fewValues, .zeros] {
      let swapped = try tester.encode(pattern.bytes(type, 20_000), type, level: 3, rowLength: 64)
      let native = try tester.encode(pattern.bytes(type.native, 20_000), type.native, level: 3, rowLength: 64)
      #expect(swapped.byteCount == native.byteCount, "\(pattern)")
    }
  }
}
