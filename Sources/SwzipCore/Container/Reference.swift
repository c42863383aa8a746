/// Content that a segment refers to (spec/FORMAT.md, section 4.2).
package enum Reference: Equatable, Sendable {
  /// An earlier range of this container.
  case earlier(member: UInt64, offset: UInt64)
  /// A range of one of the member's bases.
  case base(number: UInt64, offset: UInt64)

  /// The member of the container; nil for a base.
  package var earlierMember: UInt64? { if case .earlier(let member, _) = self { member } else { nil } }

  /// The same of a range that begins so many bytes further on.
  package func advanced(by byteCount: UInt64) -> Reference {
    switch self {
    case .earlier(let member, let offset): .earlier(member: member, offset: offset + byteCount)
    case .base(let number, let offset): .base(number: number, offset: offset + byteCount)
    }
  }

  package func write(_ writer: inout ByteWriter) {
    let (kind, number, offset): (UInt8, UInt64, UInt64) =
      switch self {
      case .earlier(let member, let offset): (0, member, offset)
      case .base(let number, let offset): (1, number, offset)
      }
    writer.integer(kind)
    writer.varint(number)
    writer.varint(offset)
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> Reference {
    let kind = try reader.integer(UInt8.self)
    let number = try reader.varint()
    let offset = try reader.varint()
    switch kind {
    case 0: return .earlier(member: number, offset: offset)
    case 1: return .base(number: number, offset: offset)
    default: throw reader.failure(.reservedBits, .unsupported)
    }
  }
}
