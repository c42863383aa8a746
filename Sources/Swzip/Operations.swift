public import SwzipCore

/// Packs all bytes of `source` as one container of one unnamed member.
/// Cost: one pass; memory is bounded whatever the size of the input.
public func pack(
  from source: any InputSource, to sink: any OutputSink, options: PackOptions, progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  try Packer(source, sink, options).run(progress)
}

/// Unpacks the one member of a container, forward; every block is verified (both hashes) before it is written.
public func unpack(
  from source: any InputSource, to sink: any OutputSink, threads: Int, progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  try Unpacker(source, sink, threads: threads, progress).run()
}

/// Decodes everything and compares every hash; writes nothing.
public func verify(
  _ source: any InputSource, threads: Int, progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  try Unpacker(source, nil, threads: threads, progress).run()
}
