internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Adds checkpoints that exist: folders and files of one, folders and tar files of several. What is there is not added again.
package struct Importer {
  /// A checkpoint, or a tar file of some.
  package struct Source: Sendable {
    package let path: String
    /// Nil for a tar file whose name says none.
    package let step: UInt64?
    fileprivate let isTar: Bool
  }

  package typealias Report = (String, Addition, Double) -> Void

  private let adder: Adder
  private let removesSource: Bool

  package init(_ adder: Adder, removesSource: Bool) { (self.adder, self.removesSource) = (adder, removesSource) }

  /// What there is at a path, by step: the checkpoint itself where its name says a step, else those in the folder, and tar files there.
  package static func sources(at path: String) throws(SwzipError) -> [Source] {
    var path = path
    while path.utf8.count > 1, let shorter = path.withoutSuffix("/") { path = shorter }
    let status = try onSystem(path) { [path] () throws(SystemError) in try FileStatus.of(path) }
    if status.kind == .regular, let stem = TarFile.stem(lastPart(path)) {
      return [Source(path: path, step: SwzipArchive.step(inName: stem), isTar: true)]
    }
    if let step = SwzipArchive.step(inName: lastPart(path)) { return [Source(path: path, step: step, isTar: false)] }
    var found: [Source] = []
    if status.kind == .directory {
      found = try Candidate.all(in: path, nil).map { Source(path: $0.path, step: $0.step, isTar: false) }
      for name in try onSystem(path, { [path] () throws(SystemError) in try fileNames(in: path) }) {
        if TarFile.stem(name) != nil { found += try sources(at: join(path, name)) }
      }
    }
    guard !found.isEmpty else {
      throw SwzipError(
        .refused, .system, file: path, detail: "neither its name nor those in it say a step; use add with --step")
    }
    return found
  }

  package func run(_ source: Source, _ report: Report) throws(SwzipError) {
    guard source.isTar else {
      let files = try CheckpointFiles(source.path)
      let removal = removesSource ? try SourceRemoval(files) : nil
      try add(files, step: source.step ?? 0, as: source.path, report)
      try removal?.run()
      return
    }
    let removal = removesSource ? try SourceRemoval(CheckpointFiles(source.path)) : nil
    let tar = TarFile(path: source.path)
    // In the file system of the archive, whose cleaner knows it; never published.
    let root = adder.archive.path
    removeStaleFiles(in: root)
    let folder = try onSystem(root) { () throws(SystemError) in try AtomicFolder(target: join(root, "unpacked")) }
    defer { folder.discard() }
    try tar.unpack(to: folder)
    var known: [Exact: Digest] = [:]
    for (name, step) in try checkpoints(in: folder, source) {
      let files = try CheckpointFiles(name.isEmpty ? folder.temporaryPath : join(folder.temporaryPath, name))
      let place = name.isEmpty ? source.path : join(source.path, name)
      let added = try add(files, step: step, as: place, report)
      for file in added.container.files {
        if let digest = file.sha256 { known[Exact(name.isEmpty ? file.name : join(name, file.name))] = digest }
      }
    }
    guard let removal else { return }
    try tar.prove(known)
    try removal.run()
  }

  @discardableResult
  private func add(
    _ files: CheckpointFiles, step: UInt64, as name: String, _ report: Report
  ) throws(SwzipError) -> Addition {
    let watch = Stopwatch()
    let added: Addition
    if let there = try adder.present(files, step: step) {
      added = there
    } else {
      added = try adder.add(files, step: step)
    }
    report(name, added, watch.seconds)
    return added
  }

  /// Where in an unpacked tar file checkpoints lie: all of it is one where its own name says a step and no name in it does.
  private func checkpoints(
    in folder: AtomicFolder, _ source: Source
  ) throws(SwzipError) -> [(name: String, step: UInt64)] {
    var name = ""
    while true {
      let place = name.isEmpty ? folder.temporaryPath : join(folder.temporaryPath, name)
      let found = try Candidate.all(in: place, nil)
      if !found.isEmpty {
        return found.map { (name.isEmpty ? lastPart($0.path) : join(name, lastPart($0.path)), $0.step) }
      }
      if let step = source.step { return [(name, step)] }
      let names = try onSystem(place) { () throws(SystemError) in try fileNames(in: place) }
      guard names.count == 1, (try? FileStatus.of(join(place, names[0]), followingLinks: false))?.kind == .directory
      else {
        throw SwzipError(
          .refused, .system, file: source.path, detail: "neither its name nor those in it say a step; unpack it first")
      }
      name = name.isEmpty ? names[0] : join(name, names[0])
    }
  }
}
