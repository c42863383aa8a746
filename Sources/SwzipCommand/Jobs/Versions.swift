internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// The versions of a file in a folder: one container each, complete or not there, never changed. `vNNN.anchor.swz`
/// stands alone, `vNNN.step.swz` holds the differences to the version before; NNN are twelve digits.
struct Versions {
  enum Kind: String, CaseIterable { case anchor, step }

  struct Version {
    let number: UInt64
    let kind: Kind
    let path: String
  }

  /// In order; where one number has both, the step is behind.
  let all: [Version]
  private static let digits = 12

  /// Whatever else lies in the folder is none of ours, and may have any name.
  init(in folder: String) throws(Failure) {
    let names = try attempt(folder) { () throws(SystemError) in try fileNames(in: folder) }
    all = names.sorted().compactMap { name in
      guard let (number, kind) = Versions.parse(name) else { return nil }
      let path = join(folder, name)
      guard (try? FileStatus.of(path))?.kind == .regular else { return nil }
      return Version(number: number, kind: kind, path: path)
    }
  }

  /// Exactly `v`, twelve digits and one of the two ends.
  static func parse(_ name: String) -> (number: UInt64, kind: Kind)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[2] == "swz", let kind = Kind(rawValue: String(parts[1])) else { return nil }
    let digits = parts[0].utf8.dropFirst()
    guard parts[0].utf8.first == UInt8(ascii: "v"), digits.count == Versions.digits,
      digits.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(parts[0].dropFirst())
    else { return nil }
    return (number, kind)
  }

  /// Where a version goes.
  static func path(in folder: String, _ number: UInt64, _ kind: Kind) throws(Failure) -> String {
    let text = String(number)
    guard text.utf8.count <= Versions.digits else {
      throw .refused(folder, "its numbers have run out; publish to another folder")
    }
    let zeros = String(repeating: "0", count: Versions.digits - text.utf8.count)
    return join(folder, "v\(zeros)\(text).\(kind).swz")
  }

  /// What nobody needs who wants one of the last `keep` versions, of which `last` is the last: what stands before the
  /// anchor that the oldest of them goes back to.
  func superseded(last: UInt64, keep: UInt64) -> [Version] {
    guard last >= keep else { return [] }
    let anchors = all.filter { $0.kind == .anchor && $0.number <= last - keep + 1 }
    guard let oldest = anchors.last?.number else { return [] }
    return all.filter { $0.number < oldest }
  }
}
