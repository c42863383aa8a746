internal import SwzipCore
internal import SwzipNames

/// A torch zip archive from a pipe: its directory comes last, but the pickle comes first and tells the length of every
/// storage, and torch's writer leaves only one place for each. A wrong guess costs compression, nothing else.
enum TorchZipStream {
  /// Records before the first storage at most, and bytes of each but the pickle.
  private static let mostRecords = 64
  private static let mostTextBytes = 64
  /// Of a record without its folder, as torch writes them.
  private static let mostNameBytes = 1024
  /// Where torch's writer begins to write zip64 fields.
  private static let zip64: UInt64 = 0xFFFF_FFFF

  static func map(_ window: inout InputWindow<some InputBytes>) throws(SwzipError) -> FileMap? {
    var front = Front()
    var cursor: UInt64 = 0
    for _ in 0..<mostRecords {
      guard let header = try ZipLocalHeader(at: cursor, &window), header.method == 0 else { return nil }
      // By bytes: as characters hostile names take the square of their length.
      let parts = header.name.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1)
      guard parts.count == 2, parts[1].count <= mostNameBytes else { return nil }
      let (root, name) = (String(Substring(parts[0])), String(Substring(parts[1])))
      if parts[1].starts(with: "data/".utf8) { return front.map(firstHeader: header, at: cursor, root: root) }
      let end =
        name == "data.pkl" ? try front.readPickle(header, &window) : try front.readText(header, name, &window)
      guard let end else { return nil }
      if front.pickle?.objects.storages.isEmpty == true { return FileMap() }
      cursor = end + (header.hasDescriptor ? descriptorBytes(isZip64: header.isZip64) : 0)
    }
    return nil
  }

  private static func descriptorBytes(isZip64: Bool) -> UInt64 { isZip64 ? 24 : 16 }

  /// What the records before the first storage say.
  private struct Front {
    var pickle: Pickle?
    var alignment: UInt64 = 64
    /// Storages in the order of their keys as text: the writer before format version 1.
    var isSortedByText = true
    var isLittleEndian = true

    /// Returns where the record's data ends; nil if it is not understood.
    mutating func readPickle(
      _ header: ZipLocalHeader, _ window: inout InputWindow<some InputBytes>
    ) throws(SwzipError) -> UInt64? {
      pickle = try PickleMachine.run(window, at: header.dataOffset)
      return pickle?.end
    }

    /// The same for a record of a few characters, whose end its descriptor shows.
    mutating func readText(
      _ header: ZipLocalHeader, _ name: String, _ window: inout InputWindow<some InputBytes>
    ) throws(SwzipError) -> UInt64? {
      var count = Int(header.byteCount)
      if header.hasDescriptor {
        count = 0
        while count <= mostTextBytes, try !window.hasDescriptor(at: header.dataOffset, after: count) { count += 1 }
      }
      guard count <= mostTextBytes, let text = try window.read(at: header.dataOffset, count: count) else { return nil }
      let value = String(decoding: text, as: UTF8.self)
      switch name {
      case ".format_version": isSortedByText = false
      case ".storage_alignment":
        guard let number = UInt64(value), number > 0, number <= 1 << 20 else { return nil }
        alignment = number
      case "byteorder": isLittleEndian = value == "little"
      default: break
      }
      return header.dataOffset + UInt64(count)
    }

    /// Predicts the places of the storages from the header of the first one on.
    func map(firstHeader: ZipLocalHeader, at start: UInt64, root: String) -> FileMap? {
      guard let pickle, isLittleEndian else { return nil }
      var numbers = Array(pickle.objects.storages.indices)
      if isSortedByText {
        numbers.sort { Exact(pickle.objects.storages[$0].key) < Exact(pickle.objects.storages[$1].key) }
      }
      var offsets: [UInt32: UInt64] = [:]
      var cursor = start
      for number in numbers {
        let storage = pickle.objects.storages[number]
        guard let byteCount = storage.byteCount else { break }
        let name = "\(root)/data/\(storage.key)"
        let isZip64 = byteCount >= zip64 || cursor >= zip64
        var place = cursor + 30 + UInt64(name.utf8.count) + 4
        if isZip64 { place += 4 + (byteCount >= zip64 ? 16 : 0) + (cursor >= zip64 ? 8 : 0) }
        place = (place + alignment - 1) / alignment * alignment
        if cursor == start, Exact(name) != Exact(firstHeader.name) || place != firstHeader.dataOffset { return nil }
        offsets[UInt32(number)] = place
        let (end, overflow) = place.addingReportingOverflow(byteCount)
        guard !overflow, end < 1 << 62 else { break }
        cursor = byteCount > 0 ? end + descriptorBytes(isZip64: isZip64) : end  // nothing follows an empty record
      }
      var map = TorchMap()
      map.add(pickle, at: offsets)
      return map.finish()
    }
  }
}

extension InputWindow {
  /// Whether a data descriptor follows `count` bytes of data at `offset` and names that size.
  fileprivate mutating func hasDescriptor(at offset: UInt64, after count: Int) throws(SwzipError) -> Bool {
    guard let bytes = try read(at: offset + UInt64(count), count: 12) else { return false }
    return bytes.prefix(4).elementsEqual([0x50, 0x4B, 7, 8]) && bytes.dropFirst(8).littleEndianInteger == UInt64(count)
  }
}
