public import SwzipCore

/// The most bytes that a container of `byteCount` original bytes takes while it is written.
public func packBound(_ byteCount: Int) -> Int { byteCount + byteCount / 2 + (1 << 21) }

/// Packs memory to memory; returns the container's size. With one thread blocks are written where they belong.
/// Throws `outputTooSmall` if `container` is; `packBound` is always enough. `base`: what it may be differences to.
public func packBytes(
  _ source: UnsafeRawBufferPointer, base: MemoryBase? = nil, into container: UnsafeMutableRawBufferPointer,
  options: PackOptions
) throws(SwzipError) -> Int {
  let sink = unsafe MemorySink(container)
  _ = try unsafe pack(from: MemorySource(source), bases: base.map { [$0.packBase] } ?? [], to: sink, options: options)
  return sink.byteCount
}

/// The container of an array's bytes.
public func packBytes(
  _ source: [UInt8], options: PackOptions = PackOptions()
) throws(SwzipError) -> [UInt8] {
  let room = try Memory(packBound(source.count))
  // The pointer is used inside the closure only.
  let count = try unsafe source.span.bytes.withUnsafeBytes { (source) throws(SwzipError) in
    try unsafe packBytes(source, into: room.bytes, options: options)
  }
  return unsafe [UInt8](room.prefix(count))
}

/// Unpacks the one member of a container, memory to memory; returns its length. Every block is verified.
/// `base`: what it may need. `loaderPolicy`: only decoded hashes are compared (`CheckPolicy.loader`).
public func unpackBytes(
  _ container: UnsafeRawBufferPointer, base: MemoryBase? = nil, into buffer: UnsafeMutableRawBufferPointer,
  loaderPolicy: Bool, threads: Int
) throws(SwzipError) -> Int {
  let file = try unsafe Container(MemorySource(container), bases: base)
  guard file.files.count == 1 else { throw SwzipError(.refused, .range) }
  let byteCount = file.files[0].byteCount
  guard byteCount <= UInt64(buffer.count) else { throw SwzipError(.invalidArgument, .outputTooSmall) }
  if !loaderPolicy { try file.checkMemberFrames() }
  try unsafe file.read(
    member: 0, offset: 0, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(byteCount)]),
    policy: loaderPolicy ? .loader : .strict, threads: threads)
  return Int(byteCount)
}
