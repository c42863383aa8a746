internal import SwzipCore

/// Where in a file a damaged container lies, and what of its header and index is whole. Bytes before and after it, as
/// broken transfers leave them, are left out.
struct DamagedContainer {
  /// From the header on.
  let source: any RandomSource
  /// Where that is in the file.
  let start: UInt64
  let header: FileHeader?
  let index: ContainerIndex?
  let isFolder: Bool

  /// Marks of a beginning or an end that are looked at: what a container holds may look like one too.
  private static let mostMarks = 16

  init(_ file: any RandomSource) throws(SwzipError) {
    let byteCount = file.byteCount
    start = try Self.start(in: file, byteCount)
    source = start == 0 ? file : PartSource(file, start..<byteCount)
    header = try Self.header(in: source, at: 0)
    index = try Self.index(of: source, hasHeader: header != nil)
    if let header {
      isFolder = header.kind != .file
    } else {
      let scanner = try FrameScanner(source)
      isFolder = try scanner.firstMember()?.name.isEmpty == false
    }
  }

  /// The first place where a header is whole, unless the file begins with one, or with a member's frame behind it.
  private static func start(in file: any RandomSource, _ byteCount: UInt64) throws(SwzipError) -> UInt64 {
    if try header(in: file, at: 0) != nil { return 0 }
    if case .member? = try FrameScanner(file).record(at: UInt64(FileHeader.byteCount)) { return 0 }
    var position: UInt64 = 1
    for _ in 0..<mostMarks {
      guard let place = try file.first(FileHeader.magic, from: position) else { return 0 }
      if try header(in: file, at: place) != nil { return place }
      position = place + 1
    }
    return 0
  }

  /// Nil where it is damaged; throws where a newer version wrote it.
  private static func header(in file: any RandomSource, at place: UInt64) throws(SwzipError) -> FileHeader? {
    guard file.byteCount - min(file.byteCount, place) >= UInt64(FileHeader.byteCount) else { return nil }
    let bytes = try file.bytes(at: place, count: FileHeader.byteCount)
    do throws(SwzipError) { return try FileHeader.read(bytes) } catch {
      guard error.kind == .corrupt else { throw error }
      return nil
    }
  }

  /// The index at the end, or before bytes that follow the container.
  private static func index(of source: any RandomSource, hasHeader: Bool) throws(SwzipError) -> ContainerIndex? {
    guard hasHeader else { return nil }
    if let file = try unlessDamaged({ () throws(SwzipError) in try Container(source) }) { return file.index }
    var position = UInt64(Trailer.byteCount - Trailer.magic.count)
    for _ in 0..<mostMarks {
      guard let place = try source.first(Trailer.magic, from: position) else { return nil }
      let part = PartSource(source, 0..<(place + UInt64(Trailer.magic.count)))
      if let file = try unlessDamaged({ () throws(SwzipError) in try Container(part) }) { return file.index }
      position = place + 1
    }
    return nil
  }
}

/// What `read` finds, nil if it cannot be had from the container. Throws what is no fault of that.
func unlessDamaged<Result>(_ read: () throws(SwzipError) -> Result) throws(SwzipError) -> Result? {
  do throws(SwzipError) { return try read() } catch {
    guard error.kind != .io, error.kind != .memory else { throw error }
    return nil
  }
}

extension RandomSource {
  /// The first place from `position` on where `mark` stands.
  fileprivate func first(_ mark: [UInt8], from position: UInt64) throws(SwzipError) -> UInt64? {
    let memory = try Memory(1 << 20)
    var start = position
    while true {
      let count = try unsafe read(at: start, into: memory.bytes)
      guard count >= mark.count else { return nil }
      let bytes = unsafe memory.prefix(count)
      for index in 0...(count - mark.count) where unsafe bytes[index] == mark[0] {
        if unsafe bytes[index..<(index + mark.count)].elementsEqual(mark) { return start + UInt64(index) }
      }
      start += UInt64(count - mark.count + 1)
    }
  }
}
