internal import SwzipCore
public import SwzipNames

extension Container {
  /// One original file.
  public struct Member: Sendable {
    public var name: String
    /// Permission bits and the time of the last change, where they are stored.
    public var mode: UInt16?
    public var time: FileTime?
    /// Of a symbolic link: its target, and the name of the member, or of the folder of members, that it leads to.
    public var link: (target: String, path: String)?
    public var byteCount: UInt64
    /// XXH3-128; nil for a small file that is checked with others.
    public var checksum: Digest?
    public var sha256: Digest?
    /// Files without which some of it cannot be unpacked.
    public var bases: [Base]
  }

  /// A file that a container refers to.
  public struct Base: Sendable {
    public var sha256: Digest
    public var byteCount: UInt64
    /// A file name to look for, as the packer knew it.
    public var hint: String
  }

  public struct Tensor: Sendable {
    public var name: String
    public var elementType: String
    public var shape: [UInt64]
    public var member: Int
    /// Offset in the member.
    public var offset: UInt64
    public var byteCount: UInt64
  }

  /// A segment, or the part of one that lies in a file of a bundle, with its share of what that takes.
  public struct SegmentInfo: Sendable {
    public var member: Int
    public var offset: UInt64
    public var byteCount: UInt64
    /// Segment frame and blocks.
    public var packedByteCount: UInt64
    public var elementType: String
    public var codec: String
    public var blockCount: Int
  }

  /// The root: with SHA-256 of the members it is what one signs or pins.
  public var root: Digest { Digest(index.trailer.root) }

  /// Whether it holds files with names, not one file without.
  public var isFolder: Bool { index.header.kind != .file }

  /// Of a checkpoint in an archive.
  package var checkpoint: CheckpointRecord? {
    index.header.kind == .checkpoint ? index.directory.extensions.checkpoint : nil
  }

  /// Which files of a checkpoint are not what was added, but within a bound of it; nil where all are.
  package var inexact: InexactRecord? {
    index.header.kind == .checkpoint ? index.directory.extensions.inexact : nil
  }

  public var memberCount: Int { files.count }

  public var members: [Member] {
    files.map {
      Member(
        name: $0.name, mode: $0.mode, time: $0.time, link: Self.link($0), byteCount: $0.byteCount,
        checksum: $0.checksum?.digest,
        sha256: $0.sha256.map(Digest.init(_:)),
        bases: index.directory.members[$0.member].header.bases.map(Base.init(_:)))
    }
  }

  private static func link(_ file: FilePlace) -> (target: String, path: String)? {
    file.link.map { ($0, LinkTarget.resolve($0, from: file.name) ?? "") }
  }

  public var tensorCount: Int { index.directory.members.reduce(0) { $0 + $1.tensors.count } }

  /// Cost: a pass over all, once.
  public var tensors: Tensors {
    listed.withLock { listed in
      let tensors = listed ?? Tensors(listTensors())
      listed = tensors
      return tensors
    }
  }

  private func listTensors() -> [Tensor] {
    var found: [Tensor] = []
    var rest = files.indices
    for (number, member) in index.directory.members.enumerated() {
      for tensor in member.tensors {
        // The first file that holds all of it; tensors of a bundle stand in the order of its files.
        rest = rest.drop { files[$0].member < number || files[$0].end < tensor.offset + tensor.byteCount }
        guard let file = rest.first else { break }
        found.append(Tensor(tensor, member: file, fileOffset: files[file].offset))
      }
    }
    return found
  }

  public var segments: [SegmentInfo] {
    var found: [SegmentInfo] = []
    var rest = files.indices
    for place in index.segments {
      let end = place.memberOffset + place.record.byteCount
      rest = rest.drop { files[$0].member < place.member || files[$0].end <= place.memberOffset }
      for number in rest.prefix(while: { files[$0].member == place.member && files[$0].offset < end }) {
        found.append(SegmentInfo(place, in: files[number], number))
      }
    }
    return found
  }
}

extension Container.Base {
  init(_ record: BaseRecord) {
    self.init(sha256: Digest(record.sha256), byteCount: record.byteCount, hint: record.hint)
  }
}

extension Container.SegmentInfo {
  fileprivate init(_ place: ContainerIndex.Place, in file: FilePlace, _ number: Int) {
    let record = place.record
    let start = max(place.memberOffset, file.offset)
    byteCount = min(place.memberOffset + record.byteCount, file.end) - start
    let packed = record.frameByteCount + record.blocksByteCount
    packedByteCount =
      byteCount == record.byteCount ? packed : UInt64(Double(packed) * Double(byteCount) / Double(record.byteCount))
    member = number
    offset = start - file.offset
    elementType = ElementType(rawValue: record.elementType)?.name ?? "type \(record.elementType)"
    codec = CodecID(rawValue: record.codec).name
    blockCount = Int(record.blockCount)
  }
}
