package import Swzip
package import SwzipCore
internal import SwzipNames
package import SwzipSystem

extension CheckpointRecord {
  /// `900`, or `900@2`.
  static func name(_ step: UInt64, _ attempt: UInt32) -> String { attempt == 1 ? "\(step)" : "\(step)@\(attempt)" }

  var name: String { Self.name(step, attempt) }
}

/// What is known of a container in an archive once its directory has been read and its root compared.
package struct StoredContainer: Sendable {
  package let name: ContainerName
  package let path: String
  package let status: FileStatus
  package let record: CheckpointRecord
  package let files: [Container.Member]
  package let tensorCount: Int
  /// Of the checkpoint that it holds, or is a part of; the same for each encoding.
  package let identity: Digest
  /// Which files are not what was added; nil where all are.
  package let inexact: InexactRecord?
  /// What it refers to, each once.
  package let bases: [Content]

  /// Bytes of a file, whatever holds them.
  package struct Content: Hashable, Sendable {
    package let sha256: Digest
    package let byteCount: UInt64
  }

  package var byteCount: UInt64 { status.byteCount }
  package var originalByteCount: UInt64 { files.reduce(0) { $0 &+ $1.byteCount } }

  /// Reads its last bytes. Throws what is wrong with it.
  init(_ name: ContainerName, at path: String) throws(SwzipError) {
    let (source, status) = try openFile(path)
    do throws(SwzipError) {
      try self.init(name, path, status, Container(source))
    } catch {
      throw error.of(path)
    }
  }

  init(_ name: ContainerName, _ path: String, _ status: FileStatus, _ container: Container) throws(SwzipError) {
    guard let record = container.checkpoint else {
      throw SwzipError(.refused, .system, detail: "it holds no checkpoint; move it out of the archive")
    }
    let files = container.members
    guard files.allSatisfy({ $0.sha256 != nil || $0.link != nil }) else {
      throw SwzipError(.corrupt, .memberSHA256)
    }
    self.name = name
    self.path = path
    self.status = status
    self.record = record
    self.files = files
    tensorCount = container.tensorCount
    identity = Self.identity(record, files)
    inexact = container.inexact
    var seen = Set<Content>()
    bases = files.flatMap(\.bases).map { Content(sha256: $0.sha256, byteCount: $0.byteCount) }.filter {
      seen.insert($0).inserted
    }
  }

  /// What file `number` holds; nil for a link.
  func content(ofFile number: Int) -> Content? {
    files[number].sha256.map { Content(sha256: $0, byteCount: files[number].byteCount) }
  }

  /// Whether both hold the same part of a checkpoint, be it with other files.
  func isSamePart(as other: StoredContainer) -> Bool {
    identity == other.identity && record.part == other.record.part
  }

  /// Whether one can take the place of the other, however each is encoded.
  func holdsSame(as other: StoredContainer) -> Bool { isSamePart(as: other) && hasSameFiles(as: other) }

  /// Whether both hold the same files: names, links and bytes.
  func hasSameFiles(as other: StoredContainer) -> Bool {
    func listed(_ files: [Container.Member]) -> [ByteWriter] { Self.sorted(files).map(Self.words) }
    return listed(files).map(\.bytes) == listed(other.files).map(\.bytes)
  }

  /// Whether it holds what another does: the same files, made of the same; or, exactly, what the other was made of.
  func hasAll(of other: StoredContainer) -> Bool {
    func listed(_ files: [Container.Member]) -> [[UInt8]] { Self.sorted(files).map { Self.words($0).bytes } }
    let mine = listed(files)
    guard mine == listed(other.files) else { return inexact == nil && mine == listed(other.sources) }
    return other.inexact == nil || inexact == other.inexact
  }

  /// The files that were added.
  private var sources: [Container.Member] {
    let changed = Dictionary(inexact?.files.map { (Exact($0.name), $0.sourceSHA256) } ?? []) { first, _ in first }
    return files.map { file in
      var file = file
      file.sha256 = changed[Exact(file.name)] ?? file.sha256
      return file
    }
  }

  private static func identity(_ record: CheckpointRecord, _ files: [Container.Member]) -> Digest {
    var head = ByteWriter()
    head.array(Array("swzip checkpoint\n".utf8))
    head.integer(record.step)
    // The attempt of parts that come at the same moment may differ.
    head.integer(record.parts == 1 ? record.attempt : 0)
    head.integer(UInt16(0))
    head.integer(record.parts)
    head.array(record.group)
    var sum = SHA256Sum()
    sum.add(head.bytes)
    if record.parts == 1 { for file in sorted(files) { sum.add(words(file).bytes) } }
    return Digest(sum.finish())
  }

  private static func sorted(_ files: [Container.Member]) -> [Container.Member] {
    files.sorted { $0.name.nameBytes.lexicographicallyPrecedes($1.name.nameBytes) }
  }

  private static func words(_ file: Container.Member) -> ByteWriter {
    var words = ByteWriter()
    func add(_ text: String) {
      words.integer(UInt32(text.nameBytes.count))
      words.array(text.nameBytes)
    }
    add(file.name)
    words.integer(UInt8(file.link == nil ? 0 : 1))
    if let link = file.link {
      add(link.target)
    } else {
      words.integer(file.byteCount)
      words.array(file.sha256?.bytes ?? [])
    }
    return words
  }
}

extension Container.Member {
  /// Whether both are files of the same bytes, or links to the same.
  package func hasSameContent(as other: Container.Member) -> Bool {
    link?.target == other.link?.target && byteCount == other.byteCount && sha256 == other.sha256
  }
}
