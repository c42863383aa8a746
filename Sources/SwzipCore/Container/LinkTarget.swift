internal import SwzipNames

/// Where links lead (spec/FORMAT.md, section 8): up through `..`, then down by names, and never out of the container.
package enum LinkTarget {
  /// The name that a link of this name leads to; nil if that is no name, or the target is not written so.
  package static func resolve(_ target: String, from name: String) -> String? {
    var folders = name.nameParts.dropLast()
    var rest = target.nameParts[...]
    while rest.first == ".." {
      guard folders.popLast() != nil else { return nil }
      rest.removeFirst()
    }
    let path = (folders + rest).joined(separator: "/")
    return target.nameBytes.count <= Limits.nameBytes && !rest.isEmpty && MemberName.isValid(path) ? path : nil
  }

  /// The target that leads from a link of this name to `path`. One that leads to a folder of the link goes up and down again.
  package static func relative(to path: String, from name: String) -> String {
    var folders = name.nameParts.dropLast()
    var parts = path.nameParts[...]
    while parts.count > 1, let folder = folders.first, Exact(folder) == parts.first.map({ Exact($0) }) {
      folders.removeFirst()
      parts.removeFirst()
    }
    return (folders.map { _ in ".." } + parts).joined(separator: "/")
  }
}

extension LinkTarget {
  /// Throws `linkTarget` for a link that leads to no file or folder of these: out, nowhere or to a link.
  package static func check(
    _ links: [(name: String, target: String)], among files: some Sequence<String>, _ kind: SwzipError.Kind
  ) throws(SwzipError) {
    guard !links.isEmpty else { return }
    var names = MemberNames()
    for file in files { try names.add(file, kind) }
    for link in links {
      guard let path = resolve(link.target, from: link.name), names.contains(path) else {
        throw SwzipError(kind, .linkTarget, detail: link.name)
      }
    }
  }
}
