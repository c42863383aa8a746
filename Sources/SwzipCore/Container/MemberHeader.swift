package import SwzipNames

/// What the member frame says (spec/FORMAT.md, section 4.1), known before any of its bytes is coded.
package struct MemberHeader: Equatable, Sendable {
  /// What a member is.
  package enum Kind: UInt8 {
    case data, link, bundle
  }

  package static let hasMode: UInt8 = 1
  package static let hasTime: UInt8 = 2
  package static let knowsLength: UInt8 = 4
  package static let hasSHA256: UInt8 = 8

  @Exact package var name = ""
  package var mode: UInt16?
  package var time: FileTime?
  /// Of a link: where it leads (`LinkTarget`). A link has no bytes, and neither mode, time nor bases.
  package var link: String?
  package var byteCount: UInt64?
  package var storesSHA256 = false
  package var bases: [BaseRecord] = []
  /// Of a bundle its files; nil for a file of its own.
  package var files: [BundledFile]?

  package init() {}

  /// A bundle of these files.
  package init(bundling files: [BundledFile], storesSHA256: Bool) {
    self.files = files
    self.storesSHA256 = storesSHA256
    byteCount = files.reduce(0) { $0 + $1.byteCount }
  }

  package var flags: UInt8 {
    (mode == nil ? 0 : Self.hasMode) | (time == nil ? 0 : Self.hasTime) | (byteCount == nil ? 0 : Self.knowsLength)
      | (storesSHA256 ? Self.hasSHA256 : 0)
  }

  package var type: Kind { files != nil ? .bundle : link != nil ? .link : .data }

  package func frame(number: Int) -> (bytes: [UInt8], hash: UInt64) {
    var body = ByteWriter()
    body.integer(type.rawValue)
    body.integer(flags)
    body.integer(mode ?? 0)
    body.integer(UInt32(bases.count))
    body.integer(byteCount ?? .max)
    (time ?? FileTime(nanoseconds: 0)).write(&body)
    body.integer(UInt16(name.nameBytes.count))
    body.array(name.nameBytes)
    if let link {
      body.integer(UInt16(link.nameBytes.count))
      body.array(link.nameBytes)
    }
    for base in bases { base.write(&body) }
    if let files { FileTable.write(files, &body) }
    Extensions().write(&body)
    return Frame.make(.member, tag: UInt32(number), body: body)
  }

  /// Reads what a member is, of its frame or record.
  static func readType(_ reader: inout ByteReader, _ version: FormatVersion) throws(SwzipError) -> Kind {
    let failure = reader.failure(.reservedBits, .unsupported)
    guard let type = Kind(rawValue: try reader.integer(UInt8.self)), type == .data || version > .oldest else {
      throw failure
    }
    return type
  }

  /// Throws if a link has what only files have.
  func checkLink(_ reader: ByteReader) throws(SwzipError) {
    guard let link else { return }
    guard mode == nil, time == nil, byteCount == 0, bases.isEmpty, LinkTarget.resolve(link, from: name) != nil else {
      throw reader.failure(.name)
    }
  }

  /// Reads what follows the frame's header.
  package static func read(_ reader: inout ByteReader, _ version: FormatVersion) throws(SwzipError) -> MemberHeader {
    let member = try readFields(&reader, version)
    _ = try Extensions.read(&reader)
    try reader.padding()
    return member
  }

  /// The same, whatever extensions follow: enough to list the member.
  package static func readFields(
    _ reader: inout ByteReader, _ version: FormatVersion
  ) throws(SwzipError) -> MemberHeader {
    let type = try readType(&reader, version)
    let flags = try reader.integer(UInt8.self)
    guard flags & 0xF0 == 0 else { throw reader.failure(.reservedBits, .unsupported) }
    let mode = try reader.integer(UInt16.self)
    let baseCount = try reader.integer(UInt32.self)
    let byteCount = try reader.integer(UInt64.self)
    let time = try FileTime.read(&reader, version)
    let nameBytes = try reader.integer(UInt16.self)
    var member = MemberHeader()
    member.mode = try optional(mode, flags & hasMode != 0, none: 0, reader.failure(.blockHeader))
    guard mode & ~0o777 == 0 else { throw reader.failure(.limit) }
    member.time = try optional(time, flags & hasTime != 0, none: FileTime(nanoseconds: 0), reader.failure(.blockHeader))
    member.byteCount = try optional(byteCount, flags & knowsLength != 0, none: .max, reader.failure(.blockHeader))
    guard member.byteCount ?? 0 <= UInt64(Int64.max), baseCount <= Limits.basesPerMember else {
      throw reader.failure(.limit)
    }
    member.storesSHA256 = flags & hasSHA256 != 0
    member.name = try MemberName.read(&reader, byteCount: Int(nameBytes))
    if type == .link { member.link = String(nameBytes: try reader.array(Int(try reader.integer(UInt16.self)))) }
    for _ in 0..<baseCount { member.bases.append(try BaseRecord.read(&reader)) }
    try member.checkLink(reader)
    if type == .bundle {
      try member.checkBundle(reader.failure(.blockHeader))
      let files = try FileTable.read(&reader)
      member.files = files
      guard Self.sum(files) == member.byteCount else { throw reader.failure(.tiling) }
    }
    return member
  }

  /// A bundle itself has a length, and nothing else that a file has.
  func checkBundle(_ failure: SwzipError) throws(SwzipError) {
    guard name.isEmpty, mode == nil, time == nil, byteCount != nil, bases.isEmpty else { throw failure }
  }

  /// The length of all files; nil if it is beyond any.
  private static func sum(_ files: [BundledFile]) -> UInt64? {
    var sum: UInt64 = 0
    for file in files {
      guard file.byteCount <= UInt64(Int64.max) - sum else { return nil }
      sum += file.byteCount
    }
    return sum
  }

  private static func optional<T: Equatable>(
    _ value: T, _ present: Bool, none: T, _ failure: SwzipError
  ) throws(SwzipError) -> T? {
    guard !present else { return value }
    guard value == none else { throw failure }
    return nil
  }
}

/// A file that a member's segments may refer to, named by its content (spec/FORMAT.md, section 4.1).
package struct BaseRecord: Equatable, Sendable {
  /// Until it is known.
  package static let unknownDigest = [UInt8](repeating: 0, count: 32)

  package var sha256: [UInt8]
  package var byteCount: UInt64
  /// A file name to look for; never trusted.
  @Exact package var hint: String

  package init(sha256: [UInt8], byteCount: UInt64, hint: String) {
    self.sha256 = sha256
    self.byteCount = byteCount
    self.hint = hint
  }

  package func write(_ writer: inout ByteWriter) {
    writer.array(sha256)
    writer.integer(byteCount)
    writer.integer(UInt16(hint.nameBytes.count))
    writer.array(hint.nameBytes)
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> BaseRecord {
    let sha256 = try reader.array(32)
    let byteCount = try reader.integer(UInt64.self)
    guard byteCount <= UInt64(Int64.max) else { throw reader.failure(.limit) }
    let hintBytes = try reader.integer(UInt16.self)
    return BaseRecord(sha256: sha256, byteCount: byteCount, hint: String(nameBytes: try reader.array(Int(hintBytes))))
  }
}

extension FileTime {
  func write(_ writer: inout ByteWriter) {
    writer.integer(seconds)
    writer.integer(nanoseconds)
  }

  /// Version 0.1 counts nanoseconds in 64 bits, which end in 2262.
  package static func read(_ reader: inout ByteReader, _ version: FormatVersion) throws(SwzipError) -> FileTime {
    if version == .oldest { return FileTime(nanoseconds: try reader.integer(Int64.self)) }
    let time = FileTime(seconds: try reader.integer(Int64.self), nanoseconds: try reader.integer(UInt32.self))
    guard time.nanoseconds < 1_000_000_000 else { throw reader.failure(.limit) }
    return time
  }
}
