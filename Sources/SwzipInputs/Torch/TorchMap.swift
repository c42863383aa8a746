internal import SwzipCore
internal import SwzipNames

/// Collects what is known of a torch file: storages at their places, and the tensors that view them.
struct TorchMap {
  private(set) var map = FileMap()
  private var names: Set<Exact> = []

  /// Adds the storages whose offsets in the file are known, by their number in the pickle. `prefix` goes before names
  /// and names a tensor that has none.
  mutating func add(_ pickle: Pickle, at offsets: [UInt32: UInt64], prefix: String = "") {
    var whole: [UInt32: TensorRecord] = [:]
    TorchNames.visit(pickle, prefix: prefix) { name, value in
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
      case .array(let number):
        guard var record = pickle.objects.arrays[Int(number)].record else { return true }
        record.name = name
        return add(record)
      default: return true
      }
      guard let record else { return true }
      if record.byteCount == pickle.objects.storages[Int(storage)].byteCount, whole[storage] == nil {
        whole[storage] = record
      }
      return add(record)
    }
    for array in pickle.objects.arrays {
      guard let record = array.record, record.elementType != .bytes, record.byteCount > 0 else { continue }
      var payload = Payload(record)
      if !array.isInOrder { payload.rowLength = 0 }
      map.payloads.append(payload)
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

  /// Adds a tensor of a name that is new; false if there are enough.
  private mutating func add(_ record: TensorRecord) -> Bool {
    var record = record
    if record.name.isEmpty { record.name = "tensor" }
    if names.insert(Exact(record.name)).inserted { map.tensors.append(record) }
    return map.tensors.count < Limits.tensors
  }

  /// Adds a tensor that views a record of the archive, which holds values of its type alone.
  mutating func add(_ name: String, _ view: TorchView, in record: ZipRecord) {
    guard let tensor = Self.record(name, view, storageBytes: record.byteCount, at: record.offset) else { return }
    _ = add(tensor)
    let type = view.type.elementType
    let whole = record.byteCount / UInt64(type.width) * UInt64(type.width)
    guard type != .bytes, whole > 0 else { return }
    let rowLength = tensor.byteCount == whole ? Payload(tensor).rowLength : 0
    var payload = Payload(offset: record.offset, byteCount: whole, elementType: type)
    payload.rowLength = rowLength
    map.payloads.append(payload)
  }

  /// Adds what a record holds that is a model file itself.
  mutating func addFile(_ record: ZipRecord, in input: some InputBytes) throws(SwzipError) {
    try map.addFile(record.name, in: input, record.offset..<(record.offset + record.byteCount))
  }

  mutating func warn(_ warning: String) { map.warnings.append(warning) }

  /// What was collected.
  consuming func finish() -> FileMap {
    map.sort()
    return map
  }

  // MARK: tensors

  /// A tensor with its shape if its values lie in order and in the storage; the range that it touches if not.
  private static func record(
    _ name: String, _ tensor: TorchTensor, in objects: TorchObjects, at offset: UInt64
  ) -> TensorRecord? {
    guard let shape = objects.dimensions(tensor.shape), let strides = objects.dimensions(tensor.strides),
      let storageBytes = objects.storages[Int(tensor.storage)].byteCount
    else { return nil }
    let view = TorchView(type: tensor.type, offset: tensor.offset, shape: shape, strides: strides)
    return record(name, view, storageBytes: storageBytes, at: offset)
  }

  private static func record(
    _ name: String, _ view: TorchView, storageBytes: UInt64, at offset: UInt64
  ) -> TensorRecord? {
    guard view.type.byteCount > 0, let extent = extent(view.shape, view.strides) else { return nil }
    let width = UInt64(view.type.byteCount)
    let (start, overflow) = view.offset.multipliedReportingOverflow(by: width)
    guard !overflow, start <= storageBytes, extent <= (storageBytes - start) / width else { return nil }
    let byteCount = extent * width
    if view.type.isWhole, isInOrder(view.shape, view.strides),
      TensorRecord.byteCount(of: view.type.elementType, shape: view.shape) == byteCount
    {
      return TensorRecord(
        name: name, elementType: view.type.elementType, shape: view.shape, offset: offset + start, byteCount: byteCount)
    }
    return range(name, view.type.elementType, at: offset + start, byteCount: byteCount)
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

/// How a tensor lies in a storage: offset and strides in values.
struct TorchView {
  var type: TorchType
  var offset: UInt64
  var shape: [UInt64]
  var strides: [UInt64]
}
