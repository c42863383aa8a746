internal import SwzipCore
internal import SwzipNames

/// Collects what is known of a torch file: storages at their places, and the tensors that view them.
struct TorchMap {
  private var map = FileMap()
  private var names: Set<Exact> = []

  /// Adds the storages whose offsets in the file are known, by their number in the pickle. `prefix` goes before names
  /// and names a tensor that has none.
  mutating func add(_ pickle: Pickle, of bytes: [UInt8], at offsets: [UInt32: UInt64], prefix: String = "") {
    var whole: [UInt32: TensorRecord] = [:]
    TorchNames.visit(pickle, of: bytes, prefix: prefix) { name, value in
      let storage: UInt32
      let record: TensorRecord?
      switch value {
      case .storage(let number):
        storage = number
        record = offsets[number].flatMap { Self.record(name, pickle.objects.storages[Int(number)], at: $0) }
      case .tensor(let number):
        let tensor = pickle.objects.tensors[Int(number)]
        storage = tensor.storage
        record = offsets[storage].flatMap { Self.record(name, tensor, in: pickle.objects, at: $0) }
      default: return true
      }
      guard var record else { return true }
      if record.byteCount == pickle.objects.storages[Int(storage)].byteCount, whole[storage] == nil {
        whole[storage] = record
      }
      if record.name.isEmpty { record.name = "tensor" }
      if names.insert(Exact(record.name)).inserted { map.tensors.append(record) }
      return map.tensors.count < Limits.tensors
    }
    for (number, offset) in offsets {
      let storage = pickle.objects.storages[Int(number)]
      let type = storage.type.elementType
      // A storage that was counted in bytes may end inside a value.
      let wholeBytes = (storage.byteCount ?? 0) / UInt64(type.width) * UInt64(type.width)
      guard type != .bytes, wholeBytes > 0 else { continue }
      var payload = Payload(offset: offset, byteCount: wholeBytes, elementType: type)
      if let tensor = whole[number], tensor.elementType == payload.elementType {
        payload.rowLength = Payload(tensor).rowLength
      }
      map.payloads.append(payload)
    }
  }

  /// What was collected; nil if payloads overlap.
  consuming func finish() -> FileMap? {
    map.tensors.sort { ($0.offset, $0.byteCount, Exact($0.name)) < ($1.offset, $1.byteCount, Exact($1.name)) }
    map.payloads.sort { $0.offset < $1.offset }
    for (one, next) in zip(map.payloads, map.payloads.dropFirst()) where next.offset - one.offset < one.byteCount {
      return nil
    }
    return map
  }

  // MARK: tensors

  /// A tensor with its shape if its values lie in order and in the storage; the range that it touches if not.
  private static func record(
    _ name: String, _ tensor: TorchTensor, in objects: TorchObjects, at offset: UInt64
  ) -> TensorRecord? {
    guard let shape = objects.dimensions(tensor.shape), let strides = objects.dimensions(tensor.strides),
      let storageBytes = objects.storages[Int(tensor.storage)].byteCount, tensor.type.byteCount > 0,
      let extent = extent(shape, strides)
    else { return nil }
    let width = UInt64(tensor.type.byteCount)
    let (start, overflow) = tensor.offset.multipliedReportingOverflow(by: width)
    guard !overflow, start <= storageBytes, extent <= (storageBytes - start) / width else { return nil }
    let byteCount = extent * width
    if tensor.type.isWhole, isInOrder(shape, strides),
      TensorRecord.byteCount(of: tensor.type.elementType, shape: shape) == byteCount
    {
      return TensorRecord(
        name: name, elementType: tensor.type.elementType, shape: shape, offset: offset + start, byteCount: byteCount)
    }
    return range(name, tensor.type.elementType, at: offset + start, byteCount: byteCount)
  }

  private static func record(_ name: String, _ storage: TorchStorage, at offset: UInt64) -> TensorRecord? {
    storage.byteCount.map { range(name, storage.type.elementType, at: offset, byteCount: $0) }
  }

  /// The whole values in a range of bytes as a tensor of one dimension.
  private static func range(
    _ name: String, _ type: ElementType, at offset: UInt64, byteCount: UInt64
  ) -> TensorRecord {
    let count = type == .f4 ? byteCount * 2 : byteCount / UInt64(type.width)
    let whole = byteCount - byteCount % UInt64(type.width)
    return TensorRecord(name: name, elementType: type, shape: [count], offset: offset, byteCount: whole)
  }

  /// Values from the first that a tensor touches to behind the last; nil if they are beyond counting.
  private static func extent(_ shape: [UInt64], _ strides: [UInt64]) -> UInt64? {
    if shape.contains(0) { return 0 }
    var last: UInt64 = 0
    for (dimension, stride) in zip(shape, strides) {
      let (distance, overflow) = (dimension - 1).multipliedReportingOverflow(by: stride)
      guard !overflow, distance < 1 << 62, last < 1 << 62 else { return nil }
      last += distance
    }
    return last + 1
  }

  /// Whether values lie in C order without gaps. Strides of dimensions of one do not matter.
  private static func isInOrder(_ shape: [UInt64], _ strides: [UInt64]) -> Bool {
    if shape.contains(0) { return true }
    var expected: UInt64 = 1
    for (dimension, stride) in zip(shape, strides).reversed() where dimension != 1 {
      guard stride == expected else { return false }
      let (product, overflow) = expected.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return false }
      expected = product
    }
    return true
  }
}
