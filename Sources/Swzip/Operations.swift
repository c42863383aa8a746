public import SwzipCore

/// Packs all bytes of `source` as one container of one unnamed member; as differences to `bases` where that is smaller.
/// Cost: one pass, and one over each base; memory is bounded whatever the size of the input. Throws `notRandomAccess` for
/// a pipe with a base.
public func pack(
  from source: any ByteSource, bases: [PackBase] = [], to sink: any OutputSink, options: PackOptions,
  progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  try write(PackPlan.file(source, bases: bases, options), sink, options, progress)
}

/// Packs a folder: all `members`, in this order, but quants behind the model that they may be of, as one container. What occurs
/// twice is stored once.
/// Throws `name` or `nameCollision` for names that the format does not allow, before anything is written; warns of those that
/// not every system can create.
/// Cost: two passes, the first for headers and for what may occur twice; memory grows with the number of members and
/// tensors, not with their bytes.
public func pack(
  members: [PackMember], to sink: any OutputSink, options: PackOptions, progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  try PlannedFolder(members, options).pack(to: sink, progress: progress)
}

/// A folder that is about to be packed: what `pack(members:)` does, in two steps, so that several ways can be compared.
package struct PlannedFolder {
  private let plan: PackPlan
  private let options: PackOptions

  package init(_ members: [PackMember], _ options: PackOptions) throws(SwzipError) {
    self.options = options
    plan = try PackPlan.folder(members, options)
  }

  /// About what `pack` will write: one block of each segment is encoded.
  package func predictedByteCount() throws(SwzipError) -> UInt64 {
    try plan.predictedByteCount(level: options.level)
  }

  package func pack(to sink: any OutputSink, progress: ProgressHandler? = nil) throws(SwzipError) -> PackReport {
    try write(plan, sink, options, progress)
  }
}

private func write(
  _ plan: PackPlan, _ sink: any OutputSink, _ options: PackOptions, _ progress: ProgressHandler?
) throws(SwzipError) -> PackReport {
  try withTeam(threads: options.threads, options.control) { control throws(SwzipError) in
    var options = options
    options.control = control
    return try ContainerWriter(plan, sink, options).run(progress)
  }
}

/// Unpacks the one member of a container, forward, with the bases that it refers to; every block is verified (both
/// hashes) before it is written.
public func unpack(
  from source: any ByteSource, to sink: any OutputSink, bases: (any BaseResolver)? = nil, threads: Int,
  control: Control? = nil, progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  try decode(source, SingleMember(sink), bases, threads, control, progress)
}

/// Unpacks all members of a container, forward, to where `members` says; every block is verified (both hashes) before
/// it is written, and names are as `MemberNames` wants them.
public func unpack(
  from source: any ByteSource, to members: any MemberSinks, bases: (any BaseResolver)? = nil, threads: Int,
  control: Control? = nil, progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  try decode(source, members, bases, threads, control, progress)
}

/// Decodes everything and compares every hash; writes nothing.
public func verify(
  _ source: any ByteSource, bases: (any BaseResolver)? = nil, threads: Int, control: Control? = nil,
  progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  try decode(source, nil, bases, threads, control, progress)
}

private func decode(
  _ source: any ByteSource, _ members: (any MemberSinks)?, _ bases: (any BaseResolver)?, _ threads: Int,
  _ control: Control?,
  _ progress: ProgressHandler?
) throws(SwzipError) -> UnpackReport {
  let source = source.forward()
  return try withTeam(threads: threads, control) { control throws(SwzipError) in
    let decoder = try ContainerDecoder(
      members, random: source.random, expected: source.byteCount, bases: bases, threads: threads, control, progress)
    guard threads > 1, !source.readsAhead, let random = source.random else { return try decoder.run(source) }
    return try decoder.run(SharedReader(random, threads: threads, control))
  }
}
