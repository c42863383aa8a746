internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What in a folder of checkpoints says which of them somebody will ask for: links, the small files that trainers write when a
/// checkpoint is complete (`latest`, `latest_checkpointed_iteration.txt`) or is the best, and the `trainer_state.json` of the newest.
package struct Pointers: Sendable {
  private var names: [UInt64: [String]] = [:]

  private static let words = ["latest", "last", "best"]
  private static let mostBytes: UInt64 = 4096
  private static let mostStateBytes: UInt64 = 64 << 20

  /// Throws where the folder cannot be read, or one of the files: what it says is not known then.
  package init(in folder: String) throws(SwzipError) {
    let entries = try onSystem(folder) { () throws(SystemError) in try fileNames(in: folder) }
    for name in entries.sorted(by: { Exact($0) < Exact($1) }) {
      let path = join(folder, name)
      guard let status = try? FileStatus.of(path, followingLinks: false) else { continue }
      var target: String?
      if status.kind == .link {
        target = try? linkTarget(path)
      } else if status.kind == .regular, status.byteCount <= Self.mostBytes, Self.words.contains(where: name.hasPrefix)
      {
        do throws(SwzipError) { target = try Self.line(smallFile(path)) } catch {
          guard error.isMissingFile else { throw error.of(path) }
        }
      }
      add(name, target)
    }
    guard let newest = try Candidate.all(in: folder, nil).last, let (_, name) = splitPath(newest.path) else { return }
    let state = join(name, "trainer_state.json")
    // What vanishes just now says nothing.
    guard let source = try? FileSource(path: join(folder, state)), source.byteCount <= Self.mostStateBytes,
      let bytes = try? source.bytes(at: 0, count: Int(source.byteCount))
    else { return }
    add(state, Self.best(bytes))
  }

  /// `target`: a path, of which the last part counts.
  private mutating func add(_ name: String, _ target: String?) {
    guard let last = target?.nameParts.last(where: { !$0.isEmpty }), let step = step(inName: last) else { return }
    names[step, default: []].append(name)
  }

  /// The names of those that point to a step.
  package func names(of step: UInt64) -> [String] { names[step] ?? [] }

  /// Whether a trainer says that the checkpoint is complete.
  func isCommitted(_ step: UInt64) -> Bool { names(of: step).contains { $0.hasPrefix("latest") } }

  /// What the Trainer loads in the end. The text around it is not read as JSON: what it is taken for wrongly is only kept.
  private static func best(_ bytes: [UInt8]) -> String? {
    let key = Array("\"best_model_checkpoint\": \"".utf8)
    guard let start = bytes.indices.last(where: { bytes[$0...].starts(with: key) }) else { return nil }
    return String(nameBytes: bytes[(start + key.count)...].prefix { $0 != UInt8(ascii: "\"") })
  }

  /// Of a file with a single line.
  private static func line(_ bytes: [UInt8]) -> String? {
    let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }
    return lines.count == 1 ? String(nameBytes: lines[0]) : nil
  }
}
