import SwzipCore

/// Walks the messages of an ONNX model that hold tensors, and steps over everything else.
struct ONNXWalk<Input: InputBytes> {
  /// Messages on the way to tensors.
  enum Message {
    case model, graph, function, node, attribute, sparseTensor, tensor

    /// The message that a field holds (onnx.proto), nil for what leads to no tensor.
    func child(_ field: UInt64) -> Message? {
      switch (self, field) {
      case (.model, 7): .graph
      case (.model, 25): .function
      case (.graph, 1), (.function, 7): .node
      case (.graph, 5): .tensor
      case (.graph, 15): .sparseTensor
      case (.node, 5): .attribute
      case (.attribute, 5), (.attribute, 10), (.sparseTensor, 1), (.sparseTensor, 2): .tensor
      case (.attribute, 6), (.attribute, 11): .graph
      default: nil
      }
    }
  }

  /// Graphs in attributes of graphs, three messages a level.
  private static var mostDepth: Int { 64 }

  private(set) var tensors: [TensorRecord] = []
  private(set) var payloads: [Payload] = []
  private var cursor: InputCursor<Input>

  init(_ input: Input) { cursor = InputCursor(input) }

  /// Reads the message that ends at `end`. False if it is damaged.
  mutating func message(_ kind: Message, end: UInt64, depth: Int) throws(SwzipError) -> Bool {
    guard depth <= Self.mostDepth else { return false }
    if kind == .tensor { return try tensor(end: end) }
    while cursor.offset < end {
      guard let tag = try cursor.varint() else { return false }
      guard tag & 7 == WireType.bytes, let child = kind.child(tag >> 3) else {
        guard try skip(tag, end: end) else { return false }
        continue
      }
      guard let stop = try endOfBytes(before: end), try message(child, end: stop, depth: depth + 1) else {
        return false
      }
    }
    return cursor.offset == end
  }

  private enum WireType {
    static var varint: UInt64 { 0 }
    static var fixed64: UInt64 { 1 }
    static var bytes: UInt64 { 2 }
    static var fixed32: UInt64 { 5 }
  }

  /// Steps over the value of a field.
  private mutating func skip(_ tag: UInt64, end: UInt64) throws(SwzipError) -> Bool {
    switch tag & 7 {
    case WireType.varint: return try cursor.varint() != nil
    case WireType.fixed64: return cursor.skip(8)
    case WireType.bytes:
      guard let stop = try endOfBytes(before: end) else { return false }
      cursor.seek(stop)
      return true
    case WireType.fixed32: return cursor.skip(4)
    default: return false
    }
  }

  /// Reads a length; the bytes that follow it end inside the message.
  private mutating func endOfBytes(before end: UInt64) throws(SwzipError) -> UInt64? {
    guard let length = try cursor.varint(), cursor.offset <= end, length <= end - cursor.offset else { return nil }
    return cursor.offset + length
  }

  // MARK: tensors

  /// TensorProto: its fields come in any order.
  private mutating func tensor(end: UInt64) throws(SwzipError) -> Bool {
    var shape: [UInt64] = []
    var type: UInt64 = 0
    var name = ""
    var raw: Range<UInt64>?
    var packed: (range: Range<UInt64>, type: ElementType)?
    while cursor.offset < end {
      guard let tag = try cursor.varint() else { return false }
      switch (tag >> 3, tag & 7) {
      case (1, WireType.varint), (2, WireType.varint):
        guard let value = try cursor.varint() else { return false }
        if tag >> 3 == 2 { type = value } else { shape.append(value) }
      case (_, WireType.bytes):
        guard let stop = try endOfBytes(before: end) else { return false }
        let range = cursor.offset..<stop
        switch tag >> 3 {
        case 1:
          while cursor.offset < stop, shape.count <= Limits.rank {
            guard let value = try cursor.varint() else { return false }
            shape.append(value)
          }
        case 4: packed = (range, .f32)
        case 8 where range.count <= 4096:
          guard let bytes = try cursor.bytes(range.count) else { return false }
          name = String(decoding: bytes, as: UTF8.self)
        case 9: raw = range
        case 10: packed = (range, .f64)
        default: break
        }
        cursor.seek(stop)
      default: guard try skip(tag, end: end) else { return false }
      }
      guard shape.count <= Limits.rank else { return false }
    }
    guard cursor.offset == end else { return false }
    if let raw {
      add(raw, Self.elementType(type), shape, name)
    } else if let packed {
      add(packed.range, packed.type, shape, name)
    }
    return tensors.count <= Limits.tensors
  }

  /// A range is a payload if its type is known and it has the length that type and shape give.
  private mutating func add(_ range: Range<UInt64>, _ type: ElementType?, _ shape: [UInt64], _ name: String) {
    let byteCount = range.upperBound - range.lowerBound
    guard let type, TensorRecord.byteCount(of: type, shape: shape) == byteCount else { return }
    let record = TensorRecord(
      name: name, elementType: type, shape: shape, offset: range.lowerBound, byteCount: byteCount)
    if !name.isEmpty { tensors.append(record) }
    if byteCount > 0 { payloads.append(Payload(record)) }
  }

  /// TensorProto.DataType; nil for texts, for 128 bits, and for integers of less than a byte.
  private static func elementType(_ id: UInt64) -> ElementType? {
    switch id {
    case 1: .f32
    case 2: .u8
    case 3: .i8
    case 4: .u16
    case 5: .i16
    case 6: .i32
    case 7: .i64
    case 9: .bool
    case 10: .f16
    case 11: .f64
    case 12: .u32
    case 13: .u64
    case 14: .c64
    case 16: .bf16
    case 17: .f8e4m3
    case 18: .f8e4m3fnuz
    case 19: .f8e5m2
    case 20: .f8e5m2fnuz
    case 23: .f4
    case 24: .f8e8m0
    case 27: .f6e2m3
    case 28: .f6e3m2
    default: nil
    }
  }
}
