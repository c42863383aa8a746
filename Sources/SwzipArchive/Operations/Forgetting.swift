internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

extension Archive {
  /// Hides checkpoints from lists and retention, until `unforget`; what others need stays. Refuses the last that can be restored,
  /// and what has a tag.
  package func forget(_ checkpoints: [Checkpoint], in holdings: Holdings) throws(SwzipError) {
    if let tagged = checkpoints.first(where: { !$0.tags.isEmpty }) {
      throw SwzipError(
        .refused, .system, file: path, detail: "\(tagged.name) has the tag \(tagged.tags[0]); remove the tag first")
    }
    let identities = Set(checkpoints.map(\.identity))
    let rest = holdings.checkpoints().filter { !identities.contains($0.identity) }
    guard
      checkpoints.isEmpty || checkpoints.allSatisfy({ $0.depth == nil }) || rest.contains(where: { $0.depth != nil })
    else {
      throw SwzipError(
        .refused, .system, file: path,
        detail: "nothing would be left that can be restored; add another checkpoint first")
    }
    for checkpoint in checkpoints {
      for number in checkpoint.numbers { try bury(holdings.containers[number].name) }
    }
  }

  /// Lists a forgotten checkpoint again; of one that is listed, makes sure of that.
  package func unforget(_ checkpoint: Checkpoint, in holdings: Holdings) throws(SwzipError) {
    try Self.requireHere(path)
    try revive(checkpoint, in: holdings)
    let now = try look()
    let all = now.checkpoints(forgotten: true) + now.checkpoints()
    guard let found = all.first(where: { $0.identity == checkpoint.identity }) else {
      throw Self.pruned(checkpoint)
    }
    for number in found.numbers {
      try removeDurably(path(.gone, now.containers[number].name.text + Tombstone.suffix))
    }
    do throws(SwzipError) { try keep(checkpoint) } catch {
      for number in found.numbers { try bury(now.containers[number].name) }
      throw error
    }
  }

  /// Names a checkpoint; what had the name loses it.
  package func tag(_ checkpoint: Checkpoint, _ name: String) throws(SwzipError) {
    guard Tag.isName(name) else {
      throw SwzipError(
        .refused, .system, file: path,
        detail: "\(name.printable) is no tag: a-z, 0-9, '.', '_' and '-', a letter first, at most 64, and not latest")
    }
    try make(.tags)
    let tag = Tag(name, identity: checkpoint.identity, step: checkpoint.step)
    try writeDurably(tag.text, to: path(.tags, name + Tag.suffix), replacing: true)
    do throws(SwzipError) { try keep(checkpoint) } catch {
      try removeDurably(path(.tags, name + Tag.suffix))
      throw error
    }
  }

  package func removeTag(_ name: String) throws(SwzipError) {
    let file = path(.tags, name + Tag.suffix)
    guard Tag.isName(name), (try? FileStatus.of(file, followingLinks: false)) != nil else {
      throw SwzipError(.refused, .system, file: path, detail: "there is no tag \(name.printable)")
    }
    try removeDurably(file)
  }

  /// After what keeps a checkpoint was written: it must be listed, and nothing of it doomed, whatever a prune did meanwhile.
  private func keep(_ checkpoint: Checkpoint) throws(SwzipError) {
    for _ in 0..<Self.mostTries {
      let now = try look()
      guard let found = now.checkpoints().first(where: { $0.identity == checkpoint.identity }) else { break }
      // A base of it may be deleted already.
      guard found.depth != nil || checkpoint.depth == nil else { break }
      guard try revive(found, in: now) else { return try syncAll() }
    }
    throw Self.pruned(checkpoint)
  }

  private static func pruned(_ checkpoint: Checkpoint) -> SwzipError {
    SwzipError(.refused, .system, detail: "\(checkpoint.name) was forgotten or pruned just now")
  }

  /// Takes what a checkpoint is read through from doom. Returns whether there was anything to take.
  @discardableResult
  private func revive(_ checkpoint: Checkpoint, in holdings: Holdings) throws(SwzipError) -> Bool {
    var isChanged = false
    for number in holdings.resolution.closure(of: checkpoint.numbers) {
      let name = holdings.containers[number].name
      guard holdings.doomed[name] != nil else { continue }
      try revive(name, isGone: holdings.gone.contains(name))
      isChanged = true
    }
    return isChanged
  }

  /// Gives a doomed container a new name, so that nobody who is about to delete the old one finds it. Does nothing where
  /// somebody else just did.
  func revive(_ name: ContainerName, isGone: Bool) throws(SwzipError) {
    let new = name.renewed
    if isGone { try bury(new) }
    let durability: Durability
    do throws(SystemError) { durability = try renameFile(path(of: name), to: new.text) } catch {
      guard error.isMissing else { throw SwzipError(error).of(path(of: name)) }
      return
    }
    try requireDurable(durability, path(of: new))
    try removeDurably(path(.doom, name.text + DoomMark.suffix))
  }

  /// Writes a tombstone: an empty one on a full disk, which is pruned by writing them.
  func bury(_ name: ContainerName, isWithdrawn: Bool = false) throws(SwzipError) {
    try make(.gone)
    let text = Tombstone.text(name, isWithdrawn: isWithdrawn)
    do throws(SwzipError) { try mark(.gone, name.text + Tombstone.suffix, text) } catch {
      guard [System.noSpace, System.overQuota].contains(error.errno) else { throw error }
      try mark(.gone, name.text + Tombstone.suffix, "")
    }
  }

  /// Whether a tombstone is as it was written; it counts in any case.
  func isWhole(tombstone name: ContainerName) -> Bool {
    (try? smallFile(path(.gone, name.text + Tombstone.suffix))).map { Tombstone.isWhole(name, $0) } ?? false
  }

  /// Whether somebody forgot a checkpoint of a step, at that time or later.
  func hasForgotten(step: UInt64, since time: FileTime) throws(SwzipError) -> Bool {
    for text in try names(.gone) {
      guard let name = text.withoutSuffix(Tombstone.suffix).flatMap({ ContainerName($0) }), name.step == step else {
        continue
      }
      let file = path(.gone, text)
      guard let status = try? FileStatus.of(file, followingLinks: false), status.modified >= time else { continue }
      do throws(SwzipError) {
        if try !Tombstone.isWithdrawn(name, smallFile(file)) { return true }
      } catch {
        // Somebody lists it again just now.
        guard error.isMissingFile else { throw error }
      }
    }
    return false
  }

  func doom(_ name: ContainerName) throws(SwzipError) {
    try make(.doom)
    try mark(.doom, name.text + DoomMark.suffix, "")
  }

  /// A mark that is there is good, once it is durable.
  private func mark(_ folder: Folder, _ file: String, _ text: String) throws(SwzipError) {
    do throws(SwzipError) { try writeDurably(text, to: path(folder, file), replacing: false) } catch {
      guard let code = error.errno, SystemError(errno: code, operation: "", path: "").alreadyExists else { throw error }
      try syncNames(in: join(path, folder.rawValue))
    }
  }
}
