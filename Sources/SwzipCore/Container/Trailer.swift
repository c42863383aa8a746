/// The last 64 bytes (spec/FORMAT.md, section 5).
package struct Trailer: Equatable, Sendable {
  package static let byteCount = 64
  package static let magic: [UInt8] = [0x53, 0x57, 0x5A, 0x45, 0x4E, 0x44, 0x0D, 0x0A]

  package var tablesPosition: UInt64
  package var directoryPosition: UInt64
  /// SHA-256 of header, directory and the two positions.
  package var root: [UInt8]

  package init(tablesPosition: UInt64, directoryPosition: UInt64, header: [UInt8], directory: [UInt8]) {
    self.tablesPosition = tablesPosition
    self.directoryPosition = directoryPosition
    self.root = []
    root = rootOver(header: header, directory: directory)
  }

  /// The root that the container must have.
  package func rootOver(header: [UInt8], directory: [UInt8]) -> [UInt8] {
    var sum = SHA256Sum()
    sum.add(header)
    sum.add(directory)
    sum.add(positions.bytes)
    return sum.finish()
  }

  private var positions: ByteWriter {
    var writer = ByteWriter()
    writer.integer(tablesPosition)
    writer.integer(directoryPosition)
    return writer
  }

  package var bytes: [UInt8] {
    var writer = positions
    writer.array(root)
    writer.integer(xxh3(writer.bytes))
    writer.array(Self.magic)
    return writer.bytes
  }

  /// Reads the trailer of a container of `fileByteCount` bytes.
  package static func read(_ bytes: [UInt8], fileByteCount: UInt64) throws(SwzipError) -> Trailer {
    let start = fileByteCount &- UInt64(byteCount)
    guard bytes.count == byteCount, Array(bytes[56...]) == magic else {
      throw SwzipError(.corrupt, .truncated, at: fileByteCount)
    }
    guard xxh3(Array(bytes[..<48])) == bytes[48..<56].littleEndianInteger else {
      throw SwzipError(.corrupt, .trailerHash, at: start)
    }
    let trailer = Trailer(
      tablesPosition: bytes[..<8].littleEndianInteger, directoryPosition: bytes[8..<16].littleEndianInteger,
      root: Array(bytes[16..<48]))
    guard trailer.tablesPosition >= FileHeader.byteCount, trailer.tablesPosition <= trailer.directoryPosition,
      trailer.directoryPosition < start, trailer.tablesPosition & 15 == 0, trailer.directoryPosition & 15 == 0
    else { throw SwzipError(.corrupt, .tiling, at: start) }
    return trailer
  }

  private init(tablesPosition: UInt64, directoryPosition: UInt64, root: [UInt8]) {
    self.tablesPosition = tablesPosition
    self.directoryPosition = directoryPosition
    self.root = root
  }
}
