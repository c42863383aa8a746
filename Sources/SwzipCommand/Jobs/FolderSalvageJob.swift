internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Saves what can be read of the damaged container of a folder.
struct FolderSalvageJob {
  let console: Console
  let force: Bool
  let bases: Bases?

  func run(_ input: Input, _ path: String) throws(Failure) {
    if !force, (try? FileStatus.of(path, followingLinks: false)) != nil {
      throw .refused(path, "it exists; replace its files with -f, or name another output with -o")
    }
    removeStaleFilesOnce(beside: path)
    let folder = try attempt(path) { () throws(SystemError) in try AtomicFolder(target: path) }
    let mask = Process.creationMask()
    let output = FolderOutput(folder, mask: mask, keepsAll: true) { _ in true }
    let found: SalvageReport
    do throws(SwzipError) {
      found = try salvage(from: input.random(), to: output, bases: bases)
      try output.settle()
    } catch {
      if let failure = output.failure { throw Failure(failure.error, path: failure.path) }
      throw Failure(error, path: input.name)
    }
    guard !found.files.isEmpty else { throw .nothingSaved(input.name, found) }
    let durability: Durability
    do throws(SystemError) {
      let mode = try folder.mode(0o777 & ~mask, readableAs: [input.status].compactMap { $0 })
      durability = try folder.publish(output.published, folderMode: mode, replacing: force)
    } catch {
      throw Failure(error, path: error.path)
    }
    SalvageText(found).say(console, input.name, path)
    try requireDurable(durability, path)
    if let failure = Failure.lost(input.name, found) { throw failure }
  }
}
