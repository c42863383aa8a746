internal import SwzipCore
internal import SwzipNames

/// A value of the symbolic machine. Nothing is imported, called or built: what a program would make is only noted.
enum PickleValue {
  /// Something that holds no tensor and names none.
  case other
  case integer(Int64)
  case boolean(Bool)
  /// A range of `TorchObjects.texts`.
  case text(start: UInt32, count: UInt32)
  /// A text or bytes too long to keep: an index of `TorchObjects.ranges`.
  case data(UInt32)
  case function(TorchFunction)
  case type(TorchType)
  /// A range of `TorchObjects.values`.
  case tuple(start: UInt32, count: UInt32)
  /// A list, dict or object: an index of `TorchObjects.containers`.
  case container(UInt32)
  case storage(UInt32)
  case tensor(UInt32)
  /// A type and an array of NumPy, whose properties may come later.
  case dtype(UInt32)
  case array(UInt32)
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
  /// Memory of all that a pickle makes, at most: so much, and more for a long pickle, of which a tensor takes some 110
  /// bytes.
  private static let leastBytes = 32 << 20
  private static let bytesAByte = 8
  private static let mostBytes = 1 << 30

  /// Nil: all that may lead to a tensor is kept.
  private let keys: [[UInt8]]?
  private var byteCount = 0
  /// Bytes of the pickle so far.
  var pickleByteCount: UInt64 = 0
  private var texts: [UInt8] = []
  /// Places in the file of long texts.
  private var ranges: [Range<UInt64>] = []
  /// The items of all tuples.
  private(set) var values: [PickleValue] = []
  private(set) var storages: [TorchStorage] = []
  private(set) var tensors: [TorchTensor] = []
  private var dtypes: [NumPyType?] = []
  private(set) var arrays: [PickleArray] = []
  private var storageNumbers: [Exact: UInt32] = [:]
  private var containers: [Container] = []
  private var entries: [Entry] = []

  init(keys: [String]?) { self.keys = keys.map { $0.map { Array($0.utf8) } } }

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

  /// Counts memory before it is taken.
  mutating func take(_ count: Int, of byteCount: Int) throws(PickleFault) {
    let most = Self.leastBytes + Int(min(pickleByteCount, UInt64(Self.mostBytes))) * Self.bytesAByte
    guard count <= (min(most, Self.mostBytes) - self.byteCount) / byteCount else { throw .unusual }
    self.byteCount += count * byteCount
  }

  // MARK: texts

  mutating func text(_ bytes: ArraySlice<UInt8>) throws(PickleFault) -> PickleValue {
    try take(bytes.count, of: 1)
    defer { texts += bytes }
    return .text(start: UInt32(texts.count), count: UInt32(bytes.count))
  }

  func text(_ start: UInt32, _ count: UInt32) -> ArraySlice<UInt8> { texts[Int(start)..<Int(start + count)] }

  mutating func data(at offset: UInt64, byteCount: UInt64) throws(PickleFault) -> PickleValue {
    try take(1, of: MemoryLayout<Range<UInt64>>.stride)
    ranges.append(offset..<(offset + byteCount))
    return .data(UInt32(ranges.count - 1))
  }

  /// A text of at most `limit` bytes, or a number as text.
  func text(_ value: PickleValue, atMost limit: Int) -> String? {
    switch value {
    case .integer(let number): String(number)
    case .text(let start, let count) where count <= limit: String(decoding: text(start, count), as: UTF8.self)
    default: nil
    }
  }

  // MARK: containers

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
    case _ where keys != nil: guard isKept(value, key: key) else { return }
    case .integer where key.map(isPadding) ?? false: break
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

  private func isKept(_ value: PickleValue, key: PickleValue?) -> Bool {
    switch (key, value) {
    case (nil, .integer): true
    case (.text(let start, let count), _): keys?.contains { text(start, count).elementsEqual($0) } ?? true
    default: false
    }
  }

  /// The kept entries of a container, in order.
  func entries(of container: UInt32) -> some Sequence<(key: PickleValue, value: PickleValue)> {
    sequence(state: containers[Int(container)].first) { next in
      guard let place = next else { return nil }
      next = entries[Int(place)].next
      return (entries[Int(place)].key, entries[Int(place)].value)
    }
  }

  /// All that are kept, each by its key.
  var dictionaries: some Sequence<[String: PickleValue]> {
    containers.indices.lazy.map { number in
      Dictionary(
        entries(of: UInt32(number)).compactMap { entry in text(entry.key, atMost: 64).map { ($0, entry.value) } }
      ) { first, _ in first }
    }
  }

  // MARK: tensors

  /// About what a storage, its key and the key's place in the dictionary take.
  private static let storageBytes = 256

  /// A storage by the tuple of its persistent id: ("storage", class, key, place, count, …). The key may come twice.
  mutating func storage(_ id: PickleValue) throws(PickleFault) -> PickleValue {
    guard case .tuple(let start, let length) = id, length >= 5 else { return .other }
    let parts = items(start, length)
    let first = parts.startIndex
    guard case .type(let type) = parts[first + 1], let key = text(parts[first + 2], atMost: 64),
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
    if case .function(.array) = function { return try array() }
    if case .function(let function) = function, length > 0 {
      switch function {
      case .array: break
      case .rebuildParameter, .size: return values[Int(start)]
      case .numPyType: return try dtype(items(start, length))
      case .arrayFromBuffer: return try array(fromBuffer: items(start, length))
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

  // MARK: arrays of NumPy

  private mutating func dtype(_ parts: ArraySlice<PickleValue>) throws(PickleFault) -> PickleValue {
    guard let name = parts.first.flatMap({ text($0, atMost: 16) }) else { return .other }
    try take(1, of: MemoryLayout<NumPyType?>.stride)
    dtypes.append(NumPyType("<" + name))
    return .dtype(UInt32(dtypes.count - 1))
  }

  /// The state of a type: (version, byte order, …, fields, …).
  mutating func setOrder(of number: UInt32, _ state: PickleValue) {
    guard case .tuple(let start, let count) = state, count >= 2 else { return }
    if text(values[Int(start) + 1], atMost: 1) == ">" { dtypes[Int(number)] = dtypes[Int(number)]?.bigEndian }
  }

  private mutating func array() throws(PickleFault) -> PickleValue {
    try take(1, of: MemoryLayout<PickleArray>.stride + 16)
    arrays.append(PickleArray())
    return .array(UInt32(arrays.count - 1))
  }

  /// (values, type, shape, order)
  private mutating func array(fromBuffer parts: ArraySlice<PickleValue>) throws(PickleFault) -> PickleValue {
    let array = try array()
    guard parts.count >= 3, case .array(let number) = array else { return array }
    let first = parts.startIndex
    set(number, shape: parts[first + 2], dtype: parts[first + 1], values: parts[first])
    return array
  }

  /// The state of an array: (version, shape, type, is in Fortran's order, values).
  mutating func setArray(_ number: UInt32, _ state: PickleValue) {
    guard case .tuple(let start, let count) = state, count >= 5 else { return }
    let parts = items(start, count)
    let first = parts.startIndex
    set(number, shape: parts[first + 1], dtype: parts[first + 2], values: parts[first + 4])
    if case .boolean(true) = parts[first + 3] { arrays[Int(number)].isInOrder = false }
  }

  private mutating func set(_ number: UInt32, shape: PickleValue, dtype: PickleValue, values: PickleValue) {
    guard let shape = dimensions(shape), case .dtype(let type) = dtype, let type = dtypes[Int(type)],
      case .data(let range) = values
    else { return }
    let record = type.record("", shape, at: ranges[Int(range)].lowerBound)
    if record?.byteCount == UInt64(ranges[Int(range)].count) { arrays[Int(number)].record = record }
  }

  /// The same of an array of joblib, whose values lie at `offset`; returns their length, nil if that is not known.
  mutating func setArray(_ number: UInt32, _ state: UInt32, at offset: UInt64) -> UInt64? {
    var shape: [UInt64]?
    var type: NumPyType?
    for (key, value) in entries(of: state) {
      switch (text(key, atMost: 16), value) {
      case ("shape", _): shape = dimensions(value)
      case ("dtype", .dtype(let number)): type = dtypes[Int(number)]
      case ("order", _): arrays[Int(number)].isInOrder = text(value, atMost: 1) != "F"
      default: break
      }
    }
    guard let shape, let record = type?.record("", shape, at: offset) else { return nil }
    arrays[Int(number)].record = record
    return record.byteCount
  }

  /// Whether joblib put a count of padding before the values.
  func isPadded(_ state: UInt32) -> Bool {
    entries(of: state).contains { entry in
      guard case .integer = entry.value else { return false }
      return isPadding(entry.key)
    }
  }

  private static let padding = Array("numpy_array_alignment_bytes".utf8)

  private func isPadding(_ key: PickleValue) -> Bool {
    guard case .text(let start, let count) = key, count == Self.padding.count else { return false }
    return text(start, count).elementsEqual(Self.padding)
  }
}

/// An array of NumPy in a pickle.
struct PickleArray {
  /// Without a name. Nil as long as its values are not known to lie in the file as they are.
  var record: TensorRecord?
  /// Whether its values lie in C order.
  var isInOrder = true
}
