/// The header (spec/FORMAT.md, section 3) and the format's version.
package struct FileHeader: Equatable, Sendable {
  package static let byteCount = 64
  package static let magic: [UInt8] = [0x89, 0x53, 0x57, 0x5A, 0x0D, 0x0A, 0x1A, 0x0A]
  package static let version: (major: UInt16, minor: UInt16) = (0, 2)

  package enum Kind: UInt8, Sendable { case file, folder, checkpoint }

  package static let refersBack: UInt32 = 1
  package static let needsBase: UInt32 = 2
  package static let memberSHA256: UInt32 = 1

  /// Of the version; what is written is the newest.
  package private(set) var minor = version.minor
  package var mustFlags: UInt32 = 0
  package var mayFlags: UInt32 = 0
  package var kind = Kind.file
  /// Sum of the members' lengths, nil if it was unknown when writing began.
  package var totalByteCount: UInt64?

  package init() {}

  package var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.array(Self.magic)
    writer.integer(Self.version.major)
    writer.integer(Self.version.minor)
    writer.integer(mustFlags)
    writer.integer(mayFlags)
    writer.integer(kind.rawValue)
    writer.zeros(1)
    writer.integer(Self.version.major << 8 | Self.version.minor)
    writer.zeros(16)
    writer.integer(totalByteCount ?? .max)
    writer.zeros(8)
    writer.integer(xxh3(writer.bytes))
    return writer.bytes
  }

  package static func read(_ bytes: [UInt8]) throws(SwzipError) -> FileHeader {
    guard bytes.count >= 8, Array(bytes[..<8]) == magic else { throw SwzipError(.corrupt, .notAContainer, at: 0) }
    guard bytes.count >= byteCount else { throw SwzipError(.corrupt, .truncated, at: UInt64(bytes.count)) }
    var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
    _ = try reader.array(8)
    guard xxh3(Array(bytes[..<56])) == bytes[56..<64].littleEndianInteger else {
      throw SwzipError(.corrupt, .headerHash, at: 56)
    }
    let major = try reader.integer(UInt16.self)
    let minor = try reader.integer(UInt16.self)
    var header = FileHeader()
    header.mustFlags = try reader.integer(UInt32.self)
    header.mayFlags = try reader.integer(UInt32.self)
    let kind = try reader.integer(UInt8.self)
    try reader.reserved(1)
    let lowest = try reader.integer(UInt16.self)
    guard major == version.major, 1...version.minor ~= minor, lowest <= version.major << 8 | version.minor else {
      throw SwzipError(.unsupported, .version, at: 8, detail: "\(major).\(minor)")
    }
    guard header.mustFlags & ~(refersBack | needsBase) == 0, let known = Kind(rawValue: kind) else {
      throw SwzipError(.unsupported, .reservedBits, at: 12)
    }
    header.minor = minor
    header.kind = known
    try reader.reserved(16)
    let total = try reader.integer(UInt64.self)
    header.totalByteCount = total == .max ? nil : total
    try reader.reserved(8)
    return header
  }
}

extension ArraySlice<UInt8> {
  /// Eight bytes as a number.
  package var littleEndianInteger: UInt64 {
    reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
