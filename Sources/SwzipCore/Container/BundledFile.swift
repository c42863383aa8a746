package import SwzipNames

/// A small file of a bundle (spec/FORMAT.md, section 4.1).
package struct BundledFile: Equatable, Sendable {
  @Exact package var name: String
  package var mode: UInt16?
  package var time: FileTime?
  package var byteCount: UInt64

  package init(name: String, mode: UInt16?, time: FileTime?, byteCount: UInt64) {
    self.name = name
    self.mode = mode
    self.time = time
    self.byteCount = byteCount
  }
}

/// The file table of a bundle.
enum FileTable {
  private static let leastBytes = 3

  static func write(_ files: [BundledFile], _ writer: inout ByteWriter) {
    writer.varint(UInt64(files.count))
    var list = ByteWriter()
    for file in files {
      list.varint(UInt64(file.name.nameBytes.count))
      list.array(file.name.nameBytes)
    }
    for file in files { list.varint(file.byteCount) }
    for file in files {
      list.integer((file.mode == nil ? 0 : MemberHeader.hasMode) | (file.time == nil ? 0 : MemberHeader.hasTime))
    }
    for mode in files.compactMap(\.mode) { list.integer(mode) }
    var before: Int64 = 0
    for time in files.compactMap(\.time) {
      list.zigzag(time.seconds - before)
      list.varint(UInt64(time.nanoseconds))
      before = time.seconds
    }
    PackedList.write(list.bytes, &writer)
  }

  static func read(_ reader: inout ByteReader) throws(SwzipError) -> [BundledFile] {
    let count = try reader.varint()
    guard count >= 1, count <= UInt64(Limits.members) else { throw reader.failure(.limit) }
    let content = try PackedList.read(&reader)
    var list = unsafe ByteReader(content.span.bytes, at: reader.position)
    guard count <= UInt64(list.remaining / leastBytes) else { throw list.failure(.truncated) }
    var files: [BundledFile] = []
    files.reserveCapacity(Int(count))
    for _ in 0..<count {
      let name = try MemberName.read(&list, byteCount: try list.count(itemBytes: 1, atMost: 4096))
      guard !name.isEmpty else { throw list.failure(.name) }
      files.append(BundledFile(name: name, mode: nil, time: nil, byteCount: 0))
    }
    for index in files.indices { files[index].byteCount = try list.varint() }
    let flags = try list.array(files.count)
    guard flags.allSatisfy({ $0 & ~(MemberHeader.hasMode | MemberHeader.hasTime) == 0 }) else {
      throw list.failure(.reservedBits, .unsupported)
    }
    for index in files.indices where flags[index] & MemberHeader.hasMode != 0 {
      let mode = try list.integer(UInt16.self)
      guard mode & ~0o777 == 0 else { throw list.failure(.limit) }
      files[index].mode = mode
    }
    var before: Int64 = 0
    for index in files.indices where flags[index] & MemberHeader.hasTime != 0 {
      let (seconds, overflow) = before.addingReportingOverflow(try list.zigzag())
      let nanoseconds = try list.varint()
      guard !overflow, nanoseconds < 1_000_000_000 else { throw list.failure(.limit) }
      files[index].time = FileTime(seconds: seconds, nanoseconds: UInt32(nanoseconds))
      before = seconds
    }
    guard list.remaining == 0 else { throw list.failure(.trailingBytes) }
    return files
  }
}

/// Where the tensors of a bundle lie (spec/FORMAT.md, section 5).
package enum BundleTensors {
  /// Throws `tensorRange` unless each lies in one file, that of the tensor before it or a later one. `byteCounts`: of the
  /// files.
  package static func check(
    _ tensors: [TensorRecord], _ byteCounts: [UInt64], at position: UInt64
  ) throws(SwzipError) {
    var (number, start): (Int, UInt64) = (0, 0)
    for tensor in tensors {
      while number < byteCounts.count, tensor.offset + tensor.byteCount > start + byteCounts[number] {
        start += byteCounts[number]
        number += 1
      }
      guard number < byteCounts.count, tensor.offset >= start else {
        throw SwzipError(.corrupt, .tensorRange, at: position, detail: tensor.name)
      }
    }
  }
}
