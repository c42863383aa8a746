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
  private(set) var odd = OddTensors()
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

  /// What a TensorProto says.
  private struct Tensor {
    var shape: [UInt64] = []
    var type: UInt64 = 0
    var name = ""
    /// Where the values are, and in which field.
    var values: (range: Range<UInt64>, field: UInt64)?

    /// The type of the values, and how many of them make one of the tensor; nil if they are not stored as they are, or
    /// of no known type.
    var valueType: (type: ElementType, count: UInt64)? {
      switch (values?.field, type) {
      case (Field.raw, 15), (Field.doubles, 15): (.f64, 2)
      case (Field.raw, _): ONNXWalk.elementType(type).map { ($0, 1) }
      case (Field.floats, 14): (.c64, 1)
      case (Field.floats, _): (.f32, 1)
      case (Field.doubles, _): (.f64, 1)
      default: nil
      }
    }

    /// Whether swzip has no type for the values, though ONNX has: integers of any length, and of less than a byte.
    var isPlain: Bool { values?.field != Field.raw || [21, 22, 25, 26].contains(type) }
  }

  private enum Field {
    static var floats: UInt64 { 4 }
    static var raw: UInt64 { 9 }
    static var doubles: UInt64 { 10 }
    /// Values as varints: int32_data, int64_data, uint64_data.
    static var varints: [UInt64] { [5, 7, 11] }
  }

  /// TensorProto: its fields come in any order.
  private mutating func tensor(end: UInt64) throws(SwzipError) -> Bool {
    var tensor = Tensor()
    while cursor.offset < end {
      guard let tag = try cursor.varint() else { return false }
      switch (tag >> 3, tag & 7) {
      case (1, WireType.varint), (2, WireType.varint):
        guard let value = try cursor.varint() else { return false }
        if tag >> 3 == 2 {
          tensor.type = value
        } else if tensor.shape.count <= Limits.rank {
          tensor.shape.append(value)
        }
      case (let field, WireType.bytes):
        guard let stop = try endOfBytes(before: end) else { return false }
        let range = cursor.offset..<stop
        switch field {
        case 1:
          while cursor.offset < stop, tensor.shape.count <= Limits.rank {
            guard let value = try cursor.varint() else { return false }
            tensor.shape.append(value)
          }
        case 8 where range.count <= 4096:
          guard let bytes = try cursor.bytes(range.count) else { return false }
          tensor.name = String(decoding: bytes, as: UTF8.self)
        case Field.raw: tensor.values = (range, field)
        case Field.floats, Field.doubles: if tensor.values?.field != Field.raw { tensor.values = (range, field) }
        case let field where Field.varints.contains(field): if tensor.values == nil { tensor.values = (range, field) }
        default: break
        }
        cursor.seek(stop)
      default: guard try skip(tag, end: end) else { return false }
      }
    }
    guard cursor.offset == end else { return false }
    add(tensor)
    return true
  }

  /// Values are a payload if their type is known and they have the length that type and shape give.
  private mutating func add(_ tensor: Tensor) {
    guard let range = tensor.values?.range, tensors.count < Limits.tensors else { return }
    let byteCount = range.upperBound - range.lowerBound
    var record = TensorRecord(bytesOf: tensor.name, at: range.lowerBound, byteCount)
    if let (type, count) = tensor.valueType {
      let shape = tensor.shape + (count > 1 ? [count] : [])
      if shape.count <= Limits.rank, TensorRecord.byteCount(of: type, shape: shape) == byteCount {
        (record.elementType, record.shape) = (type, shape)
      } else {
        odd.add(tensor.name, .shape, "has not the length of its shape; packed without its type")
      }
    } else if !tensor.isPlain {
      odd.add(tensor.name, .type, "is of type \(tensor.type), which is not known; packed without its type")
    }
    if !tensor.name.isEmpty { tensors.append(record) }
    if byteCount > 0, record.elementType != .bytes { payloads.append(Payload(record)) }
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
