/// Names of files that are to exist beside each other on any system: also where case or the form of accented letters
/// does not tell names apart. A format reader refuses less (spec/FORMAT.md, section 8); this is for those who write files.
package struct MemberNames {
  private var files = Set<String>()
  private var folders = Set<String>()

  package init() {}

  /// Throws `name` for a name that is not allowed, `nameCollision` for one that means the place of an earlier one, or a
  /// folder of an earlier one or the reverse.
  package mutating func add(_ name: String, _ kind: SwzipError.Kind) throws(SwzipError) {
    guard !name.isEmpty, MemberName.isValid(name) else { throw SwzipError(kind, .name, detail: name) }
    let key = Self.key(name)
    var isNew = files.insert(key).inserted && !folders.contains(key)
    for place in key.indices where key[place] == "/" {
      let folder = String(key[..<place])
      folders.insert(folder)
      isNew = isNew && !files.contains(folder)
    }
    guard isNew else { throw SwzipError(kind, .nameCollision, detail: name) }
  }

  /// Equal for names that some file system takes for one. Strings compare by canonical equivalence, which covers the
  /// normal forms of Unicode; upper-casing first brings together what lower-casing alone leaves apart.
  private static func key(_ name: String) -> String { name.uppercased().lowercased() }
}
