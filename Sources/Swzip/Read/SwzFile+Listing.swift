internal import SwzipCore
public import SwzipNames

extension SwzFile {
  /// One original file.
  public struct Member: Sendable {
    public var name: String
    /// Permission bits and the time of the last change, where they are stored.
    public var mode: UInt16?
    public var time: FileTime?
    /// Of a symbolic link: its target, and the name of the member, or of the folder of members, that it leads to.
    public var link: (target: String, path: String)?
    public var byteCount: UInt64
    /// XXH3-128, hexadecimal.
    public var checksum: String
    public var sha256: String?
    /// Files without which some of it cannot be unpacked.
    public var bases: [Base]
  }

  /// A file that a container refers to.
  public struct Base: Sendable {
    public var sha256: String
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

  /// The root, hexadecimal: with SHA-256 of the members it is what one signs or pins.
  public var root: String { swzipHexadecimal(index.trailer.root) }

  /// Whether it holds files with names, not one file without.
  public var isFolder: Bool { index.header.kind != .file }

  public var members: [Member] {
    index.directory.members.map {
      Member(
        name: $0.header.name, mode: $0.header.mode, time: $0.header.time,
        link: Self.link($0.header), byteCount: $0.byteCount,
        checksum: $0.checksum.hexadecimal,
        sha256: $0.sha256.map(swzipHexadecimal),
        bases: $0.header.bases.map {
          Base(sha256: swzipHexadecimal($0.sha256), byteCount: $0.byteCount, hint: $0.hint)
        })
    }
  }

  private static func link(_ header: MemberHeader) -> (target: String, path: String)? {
    header.link.map { ($0, LinkTarget.resolve($0, from: header.name) ?? "") }
  }

  public var tensors: [Tensor] {
    index.directory.members.enumerated().flatMap { number, member in
      member.tensors.map { Tensor($0, member: number) }
    }
  }

  public var segments: [SegmentInfo] {
    index.segments.map {
      SegmentInfo(
        member: $0.member, offset: $0.memberOffset, byteCount: $0.record.byteCount,
        packedByteCount: $0.record.frameByteCount + $0.record.blocksByteCount,
        elementType: ElementType(rawValue: $0.record.elementType)?.name ?? "type \($0.record.elementType)",
        codec: CodecID(rawValue: $0.record.codec)?.name ?? "codec \($0.record.codec)",
        blockCount: Int($0.record.blockCount))
    }
  }
}
