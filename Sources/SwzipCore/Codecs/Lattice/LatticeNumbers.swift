internal import CSwzipKernels

/// A number for each group, scales or offsets, as the segment frame holds them (spec/codecs/lattice.md, arrays).
struct LatticeNumbers: Equatable, Sendable {
  let values: [Float]
  /// On the wire, from the pad on.
  private let form: Form

  private enum Form: Equatable, Sendable {
    case plain(EmbeddedSegment)
    case products(groups: Int, integers: EmbeddedSegment, factors: EmbeddedSegment)
  }

  /// Numbers of a type that holds them all exactly.
  static func plain(
    _ values: [Float], as type: ElementType, rowLength: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) -> LatticeNumbers {
    LatticeNumbers(
      values: values,
      form: .plain(
        try EmbeddedSegment(
          encoding: bytes(values, as: type), type, rowLength: rowLength, effort: effort, scratch: scratch)))
  }

  /// `integers` times the factor of each `groups` of them.
  static func products(
    _ integers: [Int], groups: Int, factors: [Float], as type: ElementType, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) -> LatticeNumbers {
    let isSigned = integers.contains { $0 < 0 }
    let embedded = try EmbeddedSegment(
      encoding: integers.map { UInt8(truncatingIfNeeded: $0) }, isSigned ? .i8 : .u8, rowLength: groups, effort: effort,
      scratch: scratch)
    return LatticeNumbers(
      values: integers.indices.map { factors[$0 / groups] * Float(integers[$0]) },
      form: .products(
        groups: groups, integers: embedded,
        factors: try EmbeddedSegment(
          encoding: bytes(factors, as: type), type, rowLength: 0, effort: effort, scratch: scratch)))
  }

  /// What the frame takes for it.
  var byteCount: Int {
    switch form {
    case .plain(let numbers): numbers.bytes.count
    case .products(_, let integers, let factors): integers.bytes.count + factors.bytes.count
    }
  }

  // MARK: wire

  /// What is written before began at a multiple of 16 of the frame.
  func write(_ writer: inout ByteWriter) {
    switch form {
    case .plain(let numbers):
      writer.integer(UInt8(0))
      writer.pad()
      writer.array(numbers.bytes)
    case .products(let groups, let integers, let factors):
      writer.integer(UInt8(1))
      writer.integer(UInt16(groups))
      writer.pad()
      writer.array(integers.bytes)
      writer.array(factors.bytes)
    }
  }

  static func read(_ reader: inout ByteReader, count: Int) throws(SwzipError) -> LatticeNumbers {
    let form = try reader.integer(UInt8.self)
    switch form {
    case 0:
      try reader.pad()
      let numbers = try EmbeddedSegment.read(&reader, count: count, of: numberTypes)
      return LatticeNumbers(values: try floats(numbers, reader.failure(.limit)), form: .plain(numbers))
    case 1:
      let groups = Int(try reader.integer(UInt16.self))
      guard groups >= 1 else { throw reader.failure(.limit) }
      try reader.pad()
      let integers = try EmbeddedSegment.read(&reader, count: count, of: [.i8, .u8])
      let factors = try EmbeddedSegment.read(&reader, count: (count + groups - 1) / groups, of: numberTypes)
      let scales = try floats(factors, reader.failure(.limit))
      let isSigned = integers.type == .i8
      let values = integers.values.enumerated().map { index, byte in
        scales[index / groups] * (isSigned ? Float(Int8(bitPattern: byte)) : Float(byte))
      }
      guard values.allSatisfy(\.isFinite) else { throw reader.failure(.limit) }
      return LatticeNumbers(
        values: values, form: .products(groups: groups, integers: integers, factors: factors))
    default: throw reader.failure(.reservedBits, .unsupported)
    }
  }

  // MARK: types

  private static let numberTypes: [ElementType] = [.f32, .f16, .bf16, .f8e8m0]

  private static func bytes(_ values: [Float], as type: ElementType) -> [UInt8] {
    if type == .f16 {
      return unsafe [UInt8](unsafeUninitializedCapacity: 2 * values.count) { room, made in
        if !values.isEmpty {
          unsafe swzip_cast(SWZIP_CAST_F32_TO_F16, values, UInt32(values.count), nil, nil, room.baseAddress!)
        }
        made = 2 * values.count
      }
    }
    var writer = ByteWriter()
    for value in values {
      switch type {
      case .f8e8m0: writer.integer(UInt8(truncatingIfNeeded: value.bitPattern >> 23))
      case .bf16: writer.integer(UInt16(truncatingIfNeeded: value.bitPattern >> 16))
      default: writer.integer(value.bitPattern)
      }
    }
    return writer.bytes
  }

  private static func floats(_ numbers: EmbeddedSegment, _ failure: SwzipError) throws(SwzipError) -> [Float] {
    let type = numbers.type
    let count = numbers.values.count / type.width
    var floats: [Float]
    switch type {
    case .bf16, .f16:
      let kind = type == .bf16 ? SWZIP_LATTICE_BF16 : SWZIP_LATTICE_F16
      floats = unsafe [Float](unsafeUninitializedCapacity: count) { room, made in
        if count > 0 { unsafe swzip_lattice_widen(kind, numbers.values, UInt32(count), room.baseAddress!) }
        made = count
      }
    case .f8e8m0:
      // 2^-127 is subnormal; 255 is none.
      floats = numbers.values.map { Float(bitPattern: $0 == 0 ? 1 << 22 : UInt32($0) << 23) }
    default:
      floats = unsafe numbers.values.withUnsafeBytes { bytes in
        (0..<count).map { index in
          unsafe Float(
            bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
      }
    }
    guard floats.allSatisfy(\.isFinite) else { throw failure }
    return floats
  }

  /// The nearest F16.
  static func half(_ value: Float) -> Float {
    var (narrow, wide): (UInt16, Float) = (0, 0)
    var value = value
    unsafe swzip_cast(SWZIP_CAST_F32_TO_F16, &value, 1, nil, nil, &narrow)
    unsafe swzip_cast(SWZIP_CAST_F16_TO_F32, &narrow, 1, nil, nil, &wide)
    return wide
  }
}

extension ByteReader {
  /// Zero bytes up to the next multiple of 16 of what is read.
  fileprivate mutating func pad() throws(SwzipError) {
    while offset & 15 != 0 {
      guard try integer(UInt8.self) == 0 else { throw failure(.padding) }
    }
  }
}
