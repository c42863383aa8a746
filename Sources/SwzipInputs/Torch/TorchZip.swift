internal import SwzipCore
internal import SwzipNames

/// torch.save since 1.6, TorchScript, and the items of a distributed checkpoint: zip archives of a pickle and a record
/// for each storage (caffe2/serialize/inline_container.cc of torch). A file may hold several, one behind the other.
enum TorchZip {
  /// The pickles of an archive whose storages lie in a folder of the same name.
  private static let pickles = ["data", "constants"]

  /// Reads the archives from the last to the first.
  static func map<Input: InputBytes>(_ window: inout InputWindow<Input>) throws(SwzipError) -> FileMap? {
    var archives: [ZipArchive] = []
    var end = window.input.byteCount ?? 0
    var directoryBytes: UInt64 = 0
    while end > 0, let archive = try ZipArchive(endingAt: end, &window) {
      archives.append(archive)
      end = archive.start
      directoryBytes += archive.directoryByteCount
      guard directoryBytes <= ZipArchive.mostDirectoryBytes else { return nil }
    }
    var map = TorchMap()
    var found = false
    for (number, archive) in archives.reversed().enumerated() {
      found = try add(archive, prefix: archives.count > 1 ? String(number) : "", to: &map, window.input) || found
    }
    return found ? map.finish() : nil
  }

  /// Adds the storages of an archive; false if there is no pickle that is understood.
  private static func add(
    _ archive: ZipArchive, prefix: String, to map: inout TorchMap, _ input: some InputBytes
  ) throws(SwzipError) -> Bool {
    guard let root = archive.records.first?.name.split(separator: "/", maxSplits: 1).first else { return false }
    let records = Dictionary(archive.records.map { (Exact($0.name), $0) }) { first, _ in first }
    if let order = records[Exact("\(root)/byteorder")], order.byteCount < 64,
      try input.bytes(at: order.offset, count: Int(order.byteCount)) != Array("little".utf8)
    {
      return false
    }
    var found = false
    for name in pickles {
      guard let record = records[Exact("\(root)/\(name).pkl")], record.isStored,
        record.byteCount <= UInt64(Limits.keptBytes)
      else { continue }
      let bytes = try input.bytes(at: record.offset, count: Int(record.byteCount))
      guard let pickle = try? PickleMachine.run(bytes) else { continue }
      var offsets: [UInt32: UInt64] = [:]
      for (number, storage) in pickle.objects.storages.enumerated() {
        guard let data = records[Exact("\(root)/\(name)/\(storage.key)")], data.isStored,
          data.byteCount == storage.byteCount
        else { continue }
        offsets[UInt32(number)] = data.offset
      }
      map.add(
        pickle, of: bytes, at: offsets, prefix: name == "data" ? prefix : prefix.isEmpty ? name : "\(prefix).\(name)")
      found = true
    }
    return found
  }
}
