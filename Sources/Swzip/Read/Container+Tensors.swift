public import SwzipCore
internal import SwzipNames

extension Container {
  /// Opens the container in a file, or at a URL (`HTTPSource`), as above.
  public convenience init(path: String, bases: (any BaseResolver)? = nil) throws(SwzipError) {
    do throws(SwzipError) { try self.init(openSource(path), bases: bases) } catch { throw error.of(path) }
  }

  /// A tensor, or rows of it: along its first dimension. `buffer` holds exactly as many bytes, little-endian as they were.
  /// Throws `range` for rows that are not there. Cost: as `read(member:)`.
  public func read(
    _ tensor: Tensor, rows: Range<Int>? = nil, into buffer: UnsafeMutableRawBufferPointer,
    policy: CheckPolicy = .strict, threads: Int = 1, control: Control? = nil, progress: ProgressHandler? = nil
  ) throws(SwzipError) {
    let range = try tensor.range(of: rows)
    guard buffer.count == range.count else { throw SwzipError(.invalidArgument, .range, detail: tensor.name) }
    try unsafe read(
      member: tensor.member, offset: range.lowerBound, into: buffer, policy: policy, threads: threads, control: control,
      progress: progress)
  }

  /// The bytes of a tensor, or of rows of it.
  public func bytes(of tensor: Tensor, rows: Range<Int>? = nil, threads: Int = 1) throws(SwzipError) -> [UInt8] {
    try bytes(member: tensor.member, try tensor.range(of: rows), threads)
  }

  /// The bytes of a member: the file it was. In memory at once; see `read(member:threads:take:)`.
  public func bytes(ofMember member: Int, threads: Int = 1) throws(SwzipError) -> [UInt8] {
    guard files.indices.contains(member) else { throw SwzipError(.invalidArgument, .range) }
    return try bytes(member: member, 0..<files[member].byteCount, threads)
  }

  /// Hands all tensors to `take`, in the order of their bytes in the container: neighbours are read at once, about
  /// `bufferByteCount` bytes, or a tensor that is larger than that. The bytes are there while `take` runs.
  /// Cost: each block is decoded once; memory as said.
  public func forEachTensor(
    bufferByteCount: Int = 64 << 20, policy: CheckPolicy = .strict, threads: Int = 1, control: Control? = nil,
    _ take: (Tensor, UnsafeRawBufferPointer) throws(SwzipError) -> Void
  ) throws(SwzipError) {
    var rest = tensors.sorted { ($0.member, $0.offset) < ($1.member, $1.offset) }[...]
    var memory = try Memory(0)
    while let first = rest.first {
      var end = first.offset + first.byteCount
      let group = rest.prefix { next in
        let reach = max(end, next.offset + next.byteCount)
        guard next.member == first.member, reach == end || reach - first.offset <= UInt64(max(0, bufferByteCount))
        else {
          return false
        }
        end = reach
        return true
      }
      let count = Int(end - first.offset)
      if memory.byteCount < count { memory = try Memory(count) }
      let buffer = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])
      try unsafe read(
        member: first.member, offset: first.offset, into: buffer, policy: policy, threads: threads, control: control)
      for tensor in group {
        let start = Int(tensor.offset - first.offset)
        try unsafe take(tensor, UnsafeRawBufferPointer(rebasing: buffer[start..<(start + Int(tensor.byteCount))]))
      }
      rest = rest.dropFirst(group.count)
    }
  }

  private func bytes(member: Int, _ range: Range<UInt64>, _ threads: Int) throws(SwzipError) -> [UInt8] {
    // An array that cannot be had ends the process; a container may claim any length.
    _ = try Memory(range.count)
    return try MemberSource(self, member: member, threads: threads).bytes(at: range.lowerBound, count: range.count)
  }

  /// The tensors of a container, in the order of its members, and by name.
  public struct Tensors: RandomAccessCollection, Sendable {
    private let list: [Tensor]
    /// Made when a name is first asked for.
    private let numbers = Guarded<[Exact: Int]?>(nil)

    init(_ list: [Tensor]) { self.list = list }

    public var startIndex: Int { 0 }
    public var endIndex: Int { list.count }
    public subscript(position: Int) -> Tensor { list[position] }

    /// The first tensor of that name. Cost: a pass over all for the first name, then none.
    public subscript(name: String) -> Tensor? { number(of: name).map { list[$0] } }

    /// The number of the first tensor of that name.
    public func number(of name: String) -> Int? {
      numbers.withLock { numbers in
        let known =
          numbers ?? Dictionary(list.enumerated().map { (Exact($1.name), $0) }, uniquingKeysWith: { first, _ in first })
        numbers = known
        return known[Exact(name)]
      }
    }
  }
}

extension Container.Tensor {
  /// Bytes of some rows in the member; of all without.
  fileprivate func range(of rows: Range<Int>?) throws(SwzipError) -> Range<UInt64> {
    guard let rows else { return offset..<(offset + byteCount) }
    let count = shape.first ?? 1
    guard rows.lowerBound >= 0, UInt64(rows.upperBound) <= count, count > 0, byteCount % count == 0 else {
      throw SwzipError(.invalidArgument, .range, detail: name)
    }
    let row = byteCount / count
    return (offset + UInt64(rows.lowerBound) * row)..<(offset + UInt64(rows.upperBound) * row)
  }
}
