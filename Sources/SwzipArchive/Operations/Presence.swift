internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

extension Adder {
  /// The listed checkpoint of a step that holds all of these files, after it was read from the disk and decoded; nil where none
  /// does. It may hold more: what is left of a folder that somebody removes is no other checkpoint.
  package func present(_ files: CheckpointFiles, step: UInt64) throws(SwzipError) -> Addition? {
    let holdings = try archive.look()
    let resolution = holdings.lasting
    var digests: [Exact: Digest]?
    for number in holdings.containers.indices {
      let container = holdings.containers[number]
      // Of one that is kept in parts, or not exactly, nothing is said here.
      guard container.record.step == step, holdings.isListed(container), resolution.depths[number] != nil,
        container.record.parts == 1, container.inexact == nil, container.mayHold(files, withTimes: false)
      else { continue }
      if digests == nil { digests = try files.digests() }
      guard container.files.allSatisfy({ file in digests?[Exact(file.name)].map { $0 == file.sha256 } ?? true }) else {
        continue
      }
      do throws(SwzipError) { try prove(number, holdings) } catch {
        guard error.kind == .corrupt || error.kind == .base else { throw error }
        continue
      }
      return try addition(number, holdings, isNew: false, [])
    }
    return nil
  }
}

extension Holdings {
  /// Whether a checkpoint of a step is listed that seems to be these files, by names, sizes and times.
  func seemsToHold(_ files: CheckpointFiles, step: UInt64) -> Bool {
    let resolution = lasting
    return containers.indices.contains { number in
      let container = containers[number]
      return container.record.step == step && isListed(container) && resolution.depths[number] != nil
        && container.record.parts == 1 && container.inexact == nil && container.mayHold(files, withTimes: true)
    }
  }
}

extension StoredContainer {
  /// Whether it has all names, with the same sizes and targets of links; `withTimes`: and times.
  fileprivate func mayHold(_ wanted: CheckpointFiles, withTimes: Bool) -> Bool {
    let known = Dictionary(files.map { (Exact($0.name), $0) }) { first, _ in first }
    return wanted.files.tree.files.allSatisfy { file in
      guard let member = known[Exact(file.name)], member.link == nil else { return false }
      return member.byteCount == file.status.byteCount && (!withTimes || member.time == file.status.modified)
    }
      && wanted.files.tree.keptLinks.allSatisfy { link in
        known[Exact(link.name)]?.link.map { Exact($0.path) == Exact(link.path) } ?? false
      }
  }
}

extension CheckpointFiles {
  /// SHA-256 of each file. Throws where they change meanwhile.
  fileprivate func digests() throws(SwzipError) -> [Exact: Digest] {
    var digests: [Exact: Digest] = [:]
    for member in files.members(storesTimes: false) where member.linkPath == nil {
      digests[Exact(member.name)] = try member.open().sha256()
    }
    try files.checkUnchanged()
    return digests
  }
}
