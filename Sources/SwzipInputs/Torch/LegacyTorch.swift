internal import SwzipCore
internal import SwzipNames

/// torch.save before 1.6, or without the zip serialization: five pickles (magic number, protocol version, sizes of C
/// types, the object, the keys of its storages), then for each key a count of 8 bytes and the values (`_legacy_save` in
/// torch/serialization.py).
enum LegacyTorch {
  /// The number of the first pickle, 0x1950a86a20f9469cfc6c, as an opcode, and the end.
  private static let magic: [UInt8] = [
    0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// Whether a file that begins so has that first pickle, of protocol 2 to 5; from 4 on it is in a frame.
  static func recognises(_ start: [UInt8]) -> Bool {
    guard start.count >= 2, start[0] == 0x80, 2...5 ~= start[1] else { return false }
    let rest = start.dropFirst(2)
    return rest.starts(with: magic) || rest.first == 0x95 && rest.dropFirst(9).starts(with: magic)
  }

  static func map<Input: InputBytes>(_ window: inout InputWindow<Input>) throws(SwzipError) -> FileMap? {
    var pickles: [Pickle] = []
    for _ in 0..<5 {
      guard let pickle = try PickleMachine.run(window, at: pickles.last?.end ?? 0) else { return nil }
      pickles.append(pickle)
    }
    let object = pickles[3]
    var map = TorchMap()
    var offsets: [UInt32: UInt64] = [:]
    if isLittleEndian(pickles[2]) {
      offsets = try places(of: object, keys: keys(pickles[4]), from: pickles[4].end, &window)
    } else {
      map.warn("its values begin with their high byte; packed without their types")
    }
    map.add(object, at: offsets)
    return map.finish()
  }

  /// Where the values of storages lie, by number.
  private static func places(
    of object: Pickle, keys: [String], from start: UInt64, _ window: inout InputWindow<some InputBytes>
  ) throws(SwzipError) -> [UInt32: UInt64] {
    var numbers: [Exact: UInt32] = [:]
    for (number, storage) in object.objects.storages.enumerated() { numbers[Exact(storage.key)] = UInt32(number) }
    var offsets: [UInt32: UInt64] = [:]
    var cursor = start
    for key in keys {
      guard let number = numbers[Exact(key)], offsets[number] == nil else { break }
      let storage = object.objects.storages[Int(number)]
      guard let byteCount = storage.byteCount else { break }
      if window.input.byteCount != nil {
        guard try window.read(at: cursor, count: 8)?.littleEndianInteger == storage.count else { break }
      }
      offsets[number] = cursor + 8
      let (end, overflow) = cursor.addingReportingOverflow(8 + byteCount)
      guard !overflow, end < 1 << 62 else { break }
      cursor = end
    }
    return offsets
  }

  private static func isLittleEndian(_ pickle: Pickle) -> Bool {
    guard case .container(let dictionary) = pickle.value else { return false }
    return pickle.objects.entries(of: dictionary).contains { entry in
      guard case .boolean(true) = entry.value else { return false }
      return pickle.objects.text(entry.key, atMost: 64) == "little_endian"
    }
  }

  private static func keys(_ pickle: Pickle) -> [String] {
    guard case .container(let list) = pickle.value else { return [] }
    return pickle.objects.entries(of: list).compactMap { pickle.objects.text($0.value, atMost: 64) }
  }
}
