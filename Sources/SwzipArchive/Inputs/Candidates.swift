package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What may be a checkpoint in a folder where a job leaves them: a folder, or a model file, whose name says its step. Links are
/// none: they point to checkpoints.
package struct Candidate: Sendable {
  package let path: String
  package let step: UInt64

  private static let ends = [".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".gguf", ".npz"]
  private static let unfinished = [".tmp", ".incomplete", ".part", ".partial"]

  /// By step, then name. `pattern`: of a shell, for names; then files of any kind count.
  package static func all(in folder: String, _ pattern: String?) throws(SwzipError) -> [Candidate] {
    let names = try onSystem(folder) { () throws(SystemError) in try fileNames(in: folder) }
    var found: [(name: Exact, candidate: Candidate)] = []
    for name in names where isName(name, pattern) {
      let path = join(folder, name)
      // What somebody removed just now is none.
      guard let step = SwzipArchive.step(inName: name), let status = try? FileStatus.of(path, followingLinks: false)
      else { continue }
      guard
        status.kind == .directory
          || status.kind == .regular && (pattern != nil || ends.contains { name.withoutSuffix($0) != nil })
      else { continue }
      found.append((Exact(name), Candidate(path: path, step: step)))
    }
    return found.sorted { ($0.candidate.step, $0.name) < ($1.candidate.step, $1.name) }.map(\.candidate)
  }

  private static func isName(_ name: String, _ pattern: String?) -> Bool {
    name.utf8.first != UInt8(ascii: ".") && !unfinished.contains { name.withoutSuffix($0) != nil }
      && pattern.map { matchesAny(name, [$0]) } ?? true
  }
}
