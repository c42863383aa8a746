internal import SwzipCore
internal import SwzipNames

/// A value of the symbolic machine. Nothing is imported, called or built: what a program would make is only noted.
enum PickleValue {
  /// Something that holds no tensor and names none.
  case other
  case integer(Int64)
  case boolean(Bool)
  /// Bytes of the pickle.
  case text(start: UInt32, count: UInt32)
  case function(TorchFunction)
  case type(TorchType)
  /// A range of `TorchObjects.values`.
  case tuple(start: UInt32, count: UInt32)
  /// A list, dict or object: an index of `TorchObjects.containers`.
  case container(UInt32)
  case storage(UInt32)
  case tensor(UInt32)
}

/// A storage that a pickle refers to.
struct TorchStorage {
  var key: String
  var type: TorchType
  /// In values of the class that the pickle names.
  var count: UInt64
  /// Nil where the class is unknown.
  var byteCount: UInt64?
}

/// A tensor: a view of a storage.
struct TorchTensor {
  var storage: UInt32
  /// In values, as the strides.
  var offset: UInt64
  /// Tuples that `TorchObjects.dimensions` reads. They are shared: a copy each would let a small pickle fill memory.
  var shape: PickleValue
  var strides: PickleValue
  var type: TorchType
}

/// What a pickle makes, as far as it tells of tensors.
struct TorchObjects {
  /// Memory of all that a pickle makes, at most: some 30,000 tensors.
  private static let mostBytes = 32 << 20

  private var byteCount = 0
  /// The items of all tuples.
  private(set) var values: [PickleValue] = []
  private(set) var storages: [TorchStorage] = []
  private(set) var tensors: [TorchTensor] = []
  private var storageNumbers: [Exact: UInt32] = [:]
  private var containers: [Container] = []
  private var entries: [Entry] = []

  private struct Container {
    var first: UInt32?
    var last: UInt32?
    /// Items so far, those that are not kept too.
    var count: Int64 = 0
  }

  private struct Entry {
    let key: PickleValue
    let value: PickleValue
    var next: UInt32?
  }

  // MARK: containers

  /// Counts memory before it is taken.
  mutating func take(_ count: Int, of byteCount: Int) throws(PickleFault) {
    guard count <= (Self.mostBytes - self.byteCount) / byteCount else { throw .unusual }
    self.byteCount += count * byteCount
  }

  mutating func container() throws(PickleFault) -> PickleValue {
    try take(1, of: MemoryLayout<Container>.stride)
    containers.append(Container())
    return .container(UInt32(containers.count - 1))
  }

  mutating func tuple(_ items: ArraySlice<PickleValue>) throws(PickleFault) -> PickleValue {
    try take(items.count, of: MemoryLayout<PickleValue>.stride)
    defer { values += items }
    return .tuple(start: UInt32(values.count), count: UInt32(items.count))
  }

  func items(_ start: UInt32, _ count: UInt32) -> ArraySlice<PickleValue> { values[Int(start)..<Int(start + count)] }

  /// Adds an entry; its key is its number if none is given. Numbers and the like are counted, not kept.
  mutating func add(_ value: PickleValue, key: PickleValue? = nil, to target: PickleValue) throws(PickleFault) {
    guard case .container(let number) = target else { return }
    let position = containers[Int(number)].count
    containers[Int(number)].count += 1
    switch value {
    case .other, .integer, .function, .type: return
    default: break
    }
    try take(1, of: MemoryLayout<Entry>.stride)
    let place = UInt32(entries.count)
    entries.append(Entry(key: key ?? .integer(position), value: value))
    if let last = containers[Int(number)].last {
      entries[Int(last)].next = place
    } else {
      containers[Int(number)].first = place
    }
    containers[Int(number)].last = place
  }

  /// The kept entries of a container, in order.
  func entries(of container: UInt32) -> some Sequence<(key: PickleValue, value: PickleValue)> {
    sequence(state: containers[Int(container)].first) { next in
      guard let place = next else { return nil }
      next = entries[Int(place)].next
      return (entries[Int(place)].key, entries[Int(place)].value)
    }
  }

  // MARK: tensors

  /// About what a storage, its key and the key's place in the dictionary take.
  private static let storageBytes = 256

  /// A storage by the tuple of its persistent id: ("storage", class, key, place, count, …). The key may come twice.
  mutating func storage(_ id: PickleValue, in bytes: [UInt8]) throws(PickleFault) -> PickleValue {
    guard case .tuple(let start, let length) = id, length >= 5 else { return .other }
    let parts = items(start, length)
    let first = parts.startIndex
    guard case .type(let type) = parts[first + 1], let key = Self.text(parts[first + 2], in: bytes, atMost: 64),
      case .integer(let count) = parts[first + 4], count >= 0
    else { return .other }
    if let number = storageNumbers[Exact(key)] { return .storage(number) }
    let (byteCount, overflow) = UInt64(count).multipliedReportingOverflow(by: UInt64(type.byteCount))
    guard !overflow, byteCount < 1 << 62 else { throw .unusual }
    try take(1, of: Self.storageBytes)
    let number = UInt32(storages.count)
    storages.append(
      TorchStorage(key: key, type: type, count: UInt64(count), byteCount: type.byteCount > 0 ? byteCount : nil))
    storageNumbers[Exact(key)] = number
    return .storage(number)
  }

  /// What a function gives for arguments; an object that holds them where it is none that makes tensors.
  mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws(PickleFault) -> PickleValue {
    guard case .tuple(let start, let length) = arguments else { return .other }
    if case .function(let function) = function, length > 0 {
      switch function {
      case .rebuildParameter, .size: return values[Int(start)]
      case .rebuildTensor, .rebuildTensorWithType: return try tensor(function, items(start, length))
      case .rebuildFromType:
        let parts = items(start, min(3, length))
        if case .function(let inner)? = parts.first, case .tuple(let start, let length)? = parts.dropFirst(2).first {
          return try tensor(inner, items(start, length))
        }
      }
    }
    let object = try container()
    if length > 0 { try add(arguments, key: .other, to: object) }
    return object
  }

  private mutating func tensor(
    _ function: TorchFunction, _ parts: ArraySlice<PickleValue>
  ) throws(PickleFault) -> PickleValue {
    let first = parts.startIndex
    guard parts.count >= 4, case .storage(let storage) = parts[first], case .integer(let offset) = parts[first + 1],
      offset >= 0, let shape = dimensions(parts[first + 2]), dimensions(parts[first + 3])?.count == shape.count
    else { return .other }
    var type = storages[Int(storage)].type
    if case .rebuildTensorWithType = function {
      guard parts.count >= 7, case .type(let own) = parts[first + 6] else { return .other }
      type = own
      if storages[Int(storage)].type == .untyped { storages[Int(storage)].type = own }
    }
    try take(1, of: MemoryLayout<TorchTensor>.stride)
    tensors.append(
      TorchTensor(
        storage: storage, offset: UInt64(offset), shape: parts[first + 2], strides: parts[first + 3], type: type))
    return .tensor(UInt32(tensors.count - 1))
  }

  /// The numbers of a tuple; nil if it has others or too many.
  func dimensions(_ value: PickleValue) -> [UInt64]? {
    guard case .tuple(let start, let count) = value, count <= Limits.rank else { return nil }
    var dimensions: [UInt64] = []
    for item in items(start, count) {
      guard case .integer(let dimension) = item, dimension >= 0 else { return nil }
      dimensions.append(UInt64(dimension))
    }
    return dimensions
  }

  /// A text of at most `limit` bytes, or a number as text.
  static func text(_ value: PickleValue, in bytes: [UInt8], atMost limit: Int) -> String? {
    switch value {
    case .integer(let number): String(number)
    case .text(let start, let count) where count <= limit:
      String(decoding: bytes[Int(start)..<Int(start + count)], as: UTF8.self)
    default: nil
    }
  }
}
