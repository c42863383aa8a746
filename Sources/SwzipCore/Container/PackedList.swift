/// Records that are compressed where that pays, with their lengths before them (spec/FORMAT.md, section 5).
enum PackedList {
  private static let asIs: UInt8 = 0
  private static let zstd: UInt8 = 1
  /// What zstd may at most make of a stored byte, and of none: nobody reserves more for what a few bytes claim.
  private static let mostExpansion = 64
  private static let slackBytes = 65_536

  static func write(_ content: [UInt8], _ writer: inout ByteWriter) {
    let packed = compress(content)
    writer.integer(packed == nil ? asIs : zstd)
    writer.zeros(3)
    writer.integer(UInt32(content.count))
    writer.integer(UInt32((packed ?? content).count))
    writer.array(packed ?? content)
  }

  /// Nil where it saves nothing, or more than a reader takes.
  private static func compress(_ content: [UInt8]) -> [UInt8]? {
    var room = [UInt8](repeating: 0, count: content.count)
    // The best level for what is listed often; a long list is not worth its time.
    let level: Int32 = content.count <= 1 << 20 ? 19 : 9
    let count = unsafe content.withUnsafeBytes { source in
      unsafe room.withUnsafeMutableBytes { unsafe Compressors().zstd(source, into: $0, level: level) }
    }
    guard let count, count < content.count, content.count <= mostExpansion * count + slackBytes else { return nil }
    return Array(room[..<count])
  }

  static func read(_ reader: inout ByteReader) throws(SwzipError) -> [UInt8] {
    let coding = try reader.integer(UInt8.self)
    guard coding <= zstd else { throw reader.failure(.reservedBits, .unsupported) }
    try reader.reserved(3)
    let byteCount = Int(try reader.integer(UInt32.self))
    let stored = Int(try reader.integer(UInt32.self))
    guard stored <= reader.remaining else { throw reader.failure(.truncated) }
    guard coding == zstd ? byteCount <= mostExpansion * stored + slackBytes : byteCount == stored else {
      throw reader.failure(.limit)
    }
    try MemoryBudget.check(indexByteCount: byteCount)
    let position = reader.position
    let bytes = try reader.array(stored)
    guard coding == zstd else { return bytes }
    var content = [UInt8](repeating: 0, count: byteCount)
    var failure: SwzipError?
    unsafe bytes.withUnsafeBytes { source in
      unsafe content.withUnsafeMutableBytes { target in
        do throws(SwzipError) { try unsafe Compressors().unzstd(source, into: target, at: position) } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
    return content
  }
}
