import Swzip
import SwzipCore
import Synchronization

/// Containers of one file written by hand: segments of any header, blocks of any payload, all hashes right.
enum HandMade {
  struct Block {
    var mode: BlockMode
    /// From byte 26 of the frame on.
    var payload: [UInt8] = []
    var decoded: [UInt8]

    static func raw(_ bytes: [UInt8]) -> Block {
      Block(mode: .raw, payload: [0, 0, 0, 0, 0, 0] + bytes, decoded: bytes)
    }
    static func copy(_ bytes: [UInt8]) -> Block { Block(mode: .copy, payload: [0, 0, 0, 0, 0, 0], decoded: bytes) }

    func frame(valueCount: Int, number: Int) -> (bytes: [UInt8], entry: BlockTableEntry) {
      var writer = ByteWriter()
      writer.zeros(26)
      writer.array(payload)
      writer.pad()
      var bytes = writer.bytes
      let entry = unsafe bytes.withUnsafeMutableBytes {
        unsafe BlockHeader.seal(
          $0, mode: mode, decodedHash: xxh3(decoded), valueCount: valueCount, number: UInt32(number))
      }
      return (bytes, entry)
    }
  }

  /// `bases`: those of the member, which then has its SHA-256 too.
  static func container(_ segments: [(header: SegmentHeader, blocks: [Block])], bases: [BaseRecord] = []) throws
    -> [UInt8]
  {
    let content = segments.flatMap { $0.blocks.flatMap(\.decoded) }
    var header = FileHeader()
    header.totalByteCount = UInt64(content.count)
    if segments.contains(where: \.header.refersBack) { header.mustFlags |= FileHeader.refersBack }
    if segments.contains(where: \.header.needsBase) { header.mustFlags |= FileHeader.needsBase }
    header.mayFlags |= FileHeader.memberSHA256
    var member = MemberHeader()
    member.byteCount = UInt64(content.count)
    member.bases = bases
    member.storesSHA256 = true
    var account = ContainerAccount()
    account.add(byteCount: FileHeader.byteCount)
    let frame = member.frame(number: 0)
    account.beginMember(member, frameByteCount: frame.bytes.count, hash: frame.hash)
    var bytes = header.bytes + frame.bytes
    for (number, segment) in segments.enumerated() {
      let frame = segment.header.frame(number: number)
      bytes += frame.bytes
      account.beginSegment(segment.header, frameByteCount: frame.bytes.count, hash: frame.hash)
      for (index, block) in segment.blocks.enumerated() {
        let made = block.frame(valueCount: segment.header.valueCount(ofBlock: UInt64(index)), number: index)
        bytes += made.bytes
        account.add(made.entry)
      }
    }
    let sum = try StreamChecksum()
    unsafe content.withUnsafeBytes { unsafe sum.add($0) }
    account.endMember(
      byteCount: UInt64(content.count), checksum: sum.sum, sha256: [digest(content)], tensors: [])
    return bytes + (try account.index(header: header.bytes).bytes)
  }

  static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var sum = SHA256Sum()
    sum.add(bytes)
    return sum.finish()
  }

  /// A segment of plain bytes, or of copies of what `reference` names, in blocks of 8 KiB.
  static func segment(
    _ bytes: [UInt8], at offset: Int, copyOf reference: Reference? = nil
  ) -> (header: SegmentHeader, blocks: [Block]) {
    let header = SegmentHeader(
      memberOffset: UInt64(offset), byteCount: UInt64(bytes.count), blockValues: 8192, elementType: .bytes,
      coding: reference == nil ? BytesCoding() : CopyCoding(), references: reference.map { [$0] } ?? [])
    let blocks = stride(from: 0, to: bytes.count, by: 8192).map { start in
      let part = Array(bytes[start..<min(start + 8192, bytes.count)])
      return reference == nil ? Block.raw(part) : Block.copy(part)
    }
    return (header, blocks)
  }
}
