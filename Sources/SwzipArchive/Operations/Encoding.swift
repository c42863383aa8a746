internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// The files of a checkpoint on their way into a container that has no name yet.
struct Encoding {
  let archive: Archive
  let files: CheckpointFiles
  /// The same as they are to be kept, without bases.
  let members: [PackMember]
  let record: CheckpointRecord
  let packing: PackOptions
  let progress: Adder.Progress?

  /// A container that is complete, in a temporary file.
  struct Encoded {
    let file: AtomicFile
    let container: StoredContainer
    let warnings: [String]

    var hasBase: Bool { !container.bases.isEmpty }

    /// Gives it its name, which is new.
    func publish(_ archive: Archive) throws(SwzipError) {
      let durability = try onSystem(container.path) { () throws(SystemError) in try file.publish(replacing: false) }
      try requireDurable(durability, container.path)
    }
  }

  /// The files, each with what it may be differences to.
  func planned(_ members: [PackMember]) throws(SwzipError) -> PlannedFolder { try PlannedFolder(members, packing) }

  /// `bases`: of the containers that members refer to. Throws where the source changed.
  func run(_ planned: PlannedFolder, basesOf bases: [FileStatus]) throws(SwzipError) -> Encoded {
    let name = ContainerName(record)
    let path = archive.path(of: name)
    let file = try onSystem(path) { () throws(SystemError) in try AtomicFile(target: path) }
    let sink = FileSink(file.handle, canReadBack: true)
    let report: PackReport
    do throws(SwzipError) {
      report = try planned.pack(to: sink, progress: progress)
      try sink.finish()
      try files.files.checkUnchanged()
    } catch {
      if let failure = sink.failure { throw SwzipError(failure).of(path) }
      throw error.file == nil ? error.of(files.path) : error
    }
    // Nobody may read it who may not read all that it is made of.
    try onSystem(path) { () throws(SystemError) in
      try file.setAccess(mask: ~files.status.permissions & 0o777, like: files.status)
      try file.restrict(to: files.files.tree.files.map(\.status) + bases)
    }
    let status = try onSystem(path) { () throws(SystemError) in try file.handle.status() }
    let container = try StoredContainer(name, path, status, Container(FileSource(file.handle, fromStart: true)))
    return Encoded(file: file, container: container, warnings: report.warnings)
  }
}
