internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What the parts of a checkpoint that are there already give to another one: ranks keep much that is the same.
extension BaseChoice {
  /// The members, each with the first file of another part that has its length and its name, or its name but for numbers; and the
  /// containers of these.
  func members(
    _ members: [PackMember], besides work: Encoding, _ options: AddOptions
  ) throws(SwzipError) -> (members: [PackMember], containers: [Int]) {
    let files = work.files
    let others = parts(besides: work.record, byteCount: files.byteCount, options)
    guard !others.isEmpty else { return (members, []) }
    var places: [Key: (container: Int, file: Int)] = [:]
    for number in others {
      for (place, file) in holdings.containers[number].files.enumerated() where file.link == nil {
        for key in Key.all(file.name, file.byteCount) where places[key] == nil { places[key] = (number, place) }
      }
    }
    let lengths = Dictionary(files.files.tree.files.map { (Exact($0.name), $0.status.byteCount) }) { first, _ in first }
    var opened: [Int: Container] = [:]
    let found = try members.map { member throws(SwzipError) in
      guard member.linkPath == nil, let byteCount = lengths[Exact(member.name)],
        let place = Key.all(member.name, byteCount).lazy.compactMap({ places[$0] }).first
      else { return member }
      if opened[place.container] == nil { opened[place.container] = try open(place.container) }
      guard let container = opened[place.container] else { return member }
      var member = member
      member.bases = [base(place.file, of: container, number: place.container)]
      return member
    }
    return (found, opened.keys.sorted())
  }

  /// A file by its name, or by its role, and its length.
  private struct Key: Hashable {
    let name: Exact
    let isRole: Bool
    let byteCount: UInt64

    /// The better one first. Equal files of no byte are not worth a base.
    static func all(_ name: String, _ byteCount: UInt64) -> [Key] {
      guard byteCount > 0 else { return [] }
      return [
        Key(name: Exact(name), isRole: false, byteCount: byteCount),
        Key(name: Exact(FilePairs.role(name)), isRole: true, byteCount: byteCount),
      ]
    }
  }
}
