internal import SwzipCore
internal import SwzipNames

/// torch.save before 1.6, or without the zip serialization: five pickles (magic number, protocol version, sizes of C
/// types, the object, the keys of its storages), then for each key a count of 8 bytes and the values (`_legacy_save` in
/// torch/serialization.py).
enum LegacyTorch {
  /// The first pickle: 0x1950a86a20f9469cfc6c.
  static let magic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  static func map<Input: InputBytes>(_ window: inout InputWindow<Input>) throws(SwzipError) -> FileMap? {
    let read = try window.parse(at: 0) { bytes throws(PickleFault) in
      var pickles: [Pickle] = []
      for _ in 0..<5 { pickles.append(try PickleMachine.run(bytes, from: pickles.last?.end ?? 0)) }
      return (bytes, pickles)
    }
    guard let (bytes, pickles) = read, isLittleEndian(pickles[2], bytes) else { return nil }
    let object = pickles[3]
    var numbers: [Exact: UInt32] = [:]
    for (number, storage) in object.objects.storages.enumerated() { numbers[Exact(storage.key)] = UInt32(number) }
    var offsets: [UInt32: UInt64] = [:]
    var cursor = UInt64(pickles[4].end)
    for key in keys(pickles[4], bytes) {
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
    var map = TorchMap()
    map.add(object, of: bytes, at: offsets)
    return map.finish()
  }

  private static func isLittleEndian(_ pickle: Pickle, _ bytes: [UInt8]) -> Bool {
    guard case .container(let dictionary) = pickle.value else { return false }
    return pickle.objects.entries(of: dictionary).contains { entry in
      guard case .boolean(true) = entry.value else { return false }
      return TorchObjects.text(entry.key, in: bytes, atMost: 64) == "little_endian"
    }
  }

  private static func keys(_ pickle: Pickle, _ bytes: [UInt8]) -> [String] {
    guard case .container(let list) = pickle.value else { return [] }
    return pickle.objects.entries(of: list).compactMap { TorchObjects.text($0.value, in: bytes, atMost: 64) }
  }
}
