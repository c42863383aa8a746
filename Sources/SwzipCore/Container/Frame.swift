/// The 16 bytes that begin every frame (spec/FORMAT.md, section 4).
package struct Frame: Equatable, Sendable {
  package enum Kind: UInt8, Sendable {
    case member = 0x4D
    case segment = 0x53
    case block = 0x42
    case directory = 0x44
  }

  package static let headerBytes = 16

  package var kind: Kind
  /// Bytes of the whole frame, a multiple of 16.
  package var byteCount: Int
  package var tag: UInt32
  package var storedHash: UInt64

  /// Reads a frame's header, whose hash has to be checked once the frame is there.
  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> Frame {
    let start = reader.failure(.frameKind)
    let word = try reader.integer(UInt32.self)
    guard let kind = Kind(rawValue: UInt8(word >> 24)) else { throw start }
    let byteCount = Int(word & 0xFF_FFFF) * 16
    guard byteCount > headerBytes else { throw reader.failure(.frameSize) }
    return Frame(
      kind: kind, byteCount: byteCount, tag: try reader.integer(UInt32.self),
      storedHash: try reader.integer(UInt64.self))
  }

  /// The stored hash that a frame must have. `frame`: all its bytes. `ordinal`: the block's number in its segment.
  package static func hash(of frame: UnsafeRawBufferPointer, tag: UInt32, ordinal: UInt32 = 0) -> UInt64 {
    unsafe xxh3(UnsafeRawBufferPointer(rebasing: frame[headerBytes...]), seed: UInt64(tag) << 32 | UInt64(ordinal))
  }

  /// Completes a frame whose bytes from 16 on are written.
  package static func seal(
    _ frame: UnsafeMutableRawBufferPointer, _ kind: Kind, tag: UInt32, ordinal: UInt32 = 0
  ) -> UInt64 {
    precondition(frame.count & 15 == 0 && frame.count <= Limits.frameBytes)
    let hash = unsafe hash(of: UnsafeRawBufferPointer(frame), tag: tag, ordinal: ordinal)
    let word = UInt32(frame.count / 16) | UInt32(kind.rawValue) << 24
    unsafe frame.storeBytes(of: word.littleEndian, as: UInt32.self)
    unsafe frame.storeBytes(of: tag.littleEndian, toByteOffset: 4, as: UInt32.self)
    unsafe frame.storeBytes(of: hash.littleEndian, toByteOffset: 8, as: UInt64.self)
    return hash
  }

  /// A frame of records: 16 bytes of header, `body`, padding.
  package static func make(_ kind: Kind, tag: UInt32, body: ByteWriter) -> (bytes: [UInt8], hash: UInt64) {
    var frame = ByteWriter()
    frame.zeros(headerBytes)
    frame.array(body.bytes)
    frame.pad()
    var bytes = frame.bytes
    let hash = unsafe bytes.withUnsafeMutableBytes { unsafe seal($0, kind, tag: tag) }
    return (bytes, hash)
  }
}

extension ByteReader {
  /// The header of a frame of records which is all that there is to read, its length and hash checked: the records come next.
  package mutating func record() throws(SwzipError) -> Frame {
    let start = position
    let frame = try Frame.read(&self)
    guard frame.byteCount == bytes.byteCount else { throw SwzipError(.corrupt, .frameSize, at: start) }
    guard unsafe bytes.withUnsafeBytes({ unsafe Frame.hash(of: $0, tag: frame.tag) }) == frame.storedHash else {
      throw SwzipError(.corrupt, .frameHash, at: start)
    }
    return frame
  }
}
