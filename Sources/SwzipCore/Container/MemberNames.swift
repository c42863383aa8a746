internal import SwzipNames

/// Names of files that are to exist beside each other: no two are equal, and none is a folder of another.
package struct MemberNames {
  private var files = Set<Exact>()
  private var folders = Set<Exact>()

  package init() {}

  /// Throws `name` if two of a container's names are equal.
  package static func checkDistinct(_ names: some Sequence<String>) throws(SwzipError) {
    var seen = Set<Exact>()
    for name in names where !seen.insert(Exact(name)).inserted {
      throw SwzipError(.corrupt, .name, detail: name)
    }
  }

  /// Whether it is a file, or a folder of one.
  package func contains(_ name: String) -> Bool { files.contains(Exact(name)) || folders.contains(Exact(name)) }

  /// Throws `name` for a name that is not allowed, `nameCollision` for one that is an earlier one, or a folder of an earlier
  /// one or the reverse.
  package mutating func add(_ name: String, _ kind: SwzipError.Kind) throws(SwzipError) {
    guard MemberName.isValid(name) else { throw SwzipError(kind, .name, detail: name) }
    var isNew = files.insert(Exact(name)).inserted && !folders.contains(Exact(name))
    var parts = name.nameParts.dropLast()
    // Folders of a folder that is known are known.
    while !parts.isEmpty {
      let folder = Exact(parts.joined(separator: "/"))
      isNew = isNew && !files.contains(folder)
      guard folders.insert(folder).inserted else { break }
      parts.removeLast()
    }
    guard isNew else { throw SwzipError(kind, .nameCollision, detail: name) }
  }
}
