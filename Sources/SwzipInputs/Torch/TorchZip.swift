internal import SwzipCore
internal import SwzipNames

/// torch.save since 1.6, TorchScript, torch.package, torch.export, and the items of a distributed checkpoint: zip archives
/// of pickles and a record for each storage (caffe2/serialize/inline_container.cc of torch), by torch or written anew by
/// other tools. A file may hold several, one behind the other, and an archive may hold files that are models of their own.
struct TorchZip<Input: InputBytes> {
  private let window: InputWindow<Input>
  private var map = TorchMap()
  /// Whether there was a pickle, and whether one was understood.
  private var hasPickle = false
  private var understood = false

  /// Nil if there is none, or if it has pickles and none is understood.
  static func map(_ window: inout InputWindow<Input>, isTorch: Bool) throws(SwzipError) -> FileMap? {
    guard let archives = try ZipArchive.all(in: &window), !archives.isEmpty else { return nil }
    var zip = TorchZip(window: window)
    for (number, archive) in archives.enumerated() {
      try zip.add(archive, prefix: archives.count > 1 ? String(number) : "")
    }
    guard zip.understood || isTorch && !zip.hasPickle || !zip.map.map.payloads.isEmpty || !zip.map.map.warnings.isEmpty
    else { return nil }
    var map = zip.map.finish()
    if !isTorch, !zip.hasPickle { map.format = "zip" }
    return map
  }

  private init(window: InputWindow<Input>) { self.window = window }

  private mutating func add(_ archive: ZipArchive, prefix: String) throws(SwzipError) {
    let records = Dictionary(archive.records.map { (Exact($0.name), $0) }) { first, _ in first }
    let pickles = archive.records.filter { Self.stem($0.name) != nil }
    let stems = Set(pickles.compactMap { Self.stem($0.name).map { Exact($0) } })
    hasPickle = hasPickle || !pickles.isEmpty
    for pickle in pickles where pickle.isStored { try add(pickle, records, prefix: prefix) }
    for record in archive.records where record.isStored {
      guard Self.stem(record.name) == nil, !stems.contains(Exact(Self.folder(record.name))) else { continue }
      if record.name.withoutSuffix("_config.json") != nil {
        try addWeights(record, records)
      } else {
        try map.addFile(record, in: window.input)
      }
    }
    let storages = archive.records.filter {
      stems.contains(Exact(Self.folder($0.name))) || Self.stem($0.name) != nil
    }
    let compressed = storages.count { !$0.isStored }
    if compressed > 0 {
      map.warn(
        "\(compressed) of its \(storages.count) records are compressed already (deflate); load and save it with torch, or zip "
          + "it without compression, to gain anything")
    }
  }

  // Names are taken apart by bytes: as characters hostile ones take the square of their length.

  /// The name of a pickle without its end; nil for other records.
  private static func stem(_ name: String) -> String? { name.withoutSuffix(".pkl") }

  private static func folder(_ name: String) -> String {
    name.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(name[..<$0]) } ?? ""
  }

  // MARK: pickles

  /// Adds the storages of a pickle: they lie in a folder of its name, or, of torch.package, of all pickles in one.
  private mutating func add(
    _ record: ZipRecord, _ records: [Exact: ZipRecord], prefix: String
  ) throws(SwzipError) {
    guard let pickle = try PickleMachine.run(window, at: record.offset, end: record.offset + record.byteCount) else {
      return
    }
    understood = true
    let stem = Self.stem(record.name) ?? record.name
    let root = record.name.nameParts[0]
    guard try isLittleEndian(records[Exact("\(root)/byteorder")]) else { return }
    var offsets: [UInt32: UInt64] = [:]
    for (number, storage) in pickle.objects.storages.enumerated() {
      guard
        let data = records[Exact("\(stem)/\(storage.key)")] ?? records[Exact("\(root)/.data/\(storage.key).storage")],
        data.isStored, data.byteCount == storage.byteCount
      else { continue }
      offsets[UInt32(number)] = data.offset
    }
    // "archive/data" needs no name.
    var parts = Array(stem.nameParts.dropFirst(stem.utf8.contains(UInt8(ascii: "/")) ? 1 : 0))
    parts.removeAll(where: \.isEmpty)
    if parts.last.map({ Exact($0) }) == Exact("data") { parts.removeLast() }
    if !prefix.isEmpty { parts.insert(prefix, at: 0) }
    map.add(pickle, at: offsets, prefix: parts.joined(separator: "."))
  }

  private mutating func isLittleEndian(_ order: ZipRecord?) throws(SwzipError) -> Bool {
    guard let order, order.byteCount < 64,
      try window.input.bytes(at: order.offset, count: Int(order.byteCount)) != Array("little".utf8)
    else { return true }
    map.warn("its values begin with their high byte; packed without their types")
    return false
  }

  // MARK: other records

  /// Adds the raw values that torch.export keeps, each in a record, by what a list beside them says.
  private mutating func addWeights(_ list: ZipRecord, _ records: [Exact: ZipRecord]) throws(SwzipError) {
    guard list.byteCount <= UInt64(SafetensorsHeader.mostBytes) else { return }
    let text = try window.input.bytes(at: list.offset, count: Int(list.byteCount))
    for weight in ExportedWeights.read(text) {
      guard let record = records[Exact("\(Self.folder(list.name))/\(weight.path)")], record.isStored else { continue }
      map.add(weight.name, weight.view, in: record)
    }
  }
}
