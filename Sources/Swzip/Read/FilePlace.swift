package import SwzipCore
package import SwzipNames

/// One original file in a container: a member, or a part of a bundle.
package struct FilePlace: Sendable {
  package let name: String
  package let mode: UInt16?
  package let time: FileTime?
  /// Of a symbolic link, its target.
  package let link: String?
  /// The member of the container, and where the file begins in it.
  package let member: Int
  package let offset, byteCount: UInt64
  /// Of a bundle's files, which are checked block by block, nil.
  package let checksum: Checksum128?
  package let sha256: [UInt8]?

  package var end: UInt64 { offset + byteCount }

  /// All files of a container in order. Reads the frames of bundles, which alone name their files.
  package static func all(_ index: ContainerIndex, _ source: any RandomSource) throws(SwzipError) -> [FilePlace] {
    var places: [FilePlace] = []
    places.reserveCapacity(index.directory.fileCount)
    for (number, record) in index.directory.members.enumerated() {
      if let bundle = record.bundle {
        places += try files(of: bundle, record, number, frame: index.framePositions[number], index, source)
      } else {
        places.append(
          FilePlace(
            name: record.header.name, mode: record.header.mode, time: record.header.time, link: record.header.link,
            member: number, offset: 0, byteCount: record.byteCount, checksum: record.checksum, sha256: record.sha256))
      }
    }
    // Those of members are distinct by the directory.
    if index.directory.members.contains(where: { $0.bundle != nil }) {
      try MemberNames.checkDistinct(places.lazy.map(\.name))
    }
    try LinkTarget.check(
      places.compactMap { place in place.link.map { (place.name, $0) } },
      among: places.lazy.filter { $0.link == nil }.map(\.name), .corrupt)
    return places
  }

  private static func files(
    of bundle: MemberRecord.Bundle, _ record: MemberRecord, _ number: Int, frame position: UInt64,
    _ index: ContainerIndex, _ source: any RandomSource
  ) throws(SwzipError) -> [FilePlace] {
    let bytes = try source.bytes(at: position, count: Int(record.frameByteCount))
    var reader = unsafe ByteReader(bytes.span.bytes, at: position)
    let frame = try reader.record()
    guard frame.kind == .member, frame.tag == UInt32(number) else {
      throw SwzipError(.corrupt, .frameHash, at: position)
    }
    var header = try MemberHeader.readFields(&reader, index.header.version)
    let files = header.files ?? []
    header.files = nil
    guard frame.storedHash == bundle.frameHash, files.count == bundle.fileCount, header == record.header else {
      throw SwzipError(.corrupt, .indexAgrees, at: position)
    }
    var offset: UInt64 = 0
    var places: [FilePlace] = []
    for (index, file) in files.enumerated() {
      places.append(
        FilePlace(
          name: file.name, mode: file.mode, time: file.time, link: nil, member: number, offset: offset,
          byteCount: file.byteCount, checksum: nil, sha256: bundle.sha256.isEmpty ? nil : bundle.sha256[index]))
      offset += file.byteCount
    }
    try BundleTensors.check(record.tensors, files.map(\.byteCount), at: index.trailer.directoryPosition)
    return places
  }
}
