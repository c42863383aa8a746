internal import SwzipNames

/// The regular files under a folder.
public struct TreeScan: Sendable {
  public struct File: Sendable {
    /// Relative to the folder, parts separated by `/`.
    public let name: String
    /// Of the file itself, behind links.
    public let status: FileStatus
    /// Of the folder that its name lies in.
    public let folder: FileStatus
    /// The path without links, where a link led to the file.
    fileprivate let linked: String?
  }

  /// A symbolic link that is kept as one.
  public struct Link: Sendable {
    public let name: String
    /// The name of the file or folder that it leads to; among the names of `files`, or a folder of those.
    public let path: String
  }

  /// A link into the folder, as long as it is not known whether what it leads to is taken.
  private struct Candidate {
    let link: Link
    let realPath: String
    let status: FileStatus
    let above: [FileStatus]
  }

  /// What becomes of symbolic links.
  public enum Links: Sendable {
    /// Those that lead to what is taken are kept; as `.followed` else.
    case kept
    /// Each is what it leads to; a folder that contains itself is cut where it does (by device and inode).
    case followed
    /// Each real file once, under its own name where that is in the folder. `outside`: what of the rest is taken.
    case once(outside: Outside)
  }

  /// What is taken that only links lead to.
  public enum Outside: Sendable { case nothing, files, all }

  /// By the bytes of their names, whatever order the folder has.
  public private(set) var files: [File] = []
  /// In no order.
  public private(set) var keptLinks: [Link] = []
  private var candidates: [Candidate] = []
  private var outside: [String] = []
  private var leftOutside: [String] = []
  private var repeated: [String] = []
  private var dangling: [String] = []
  private var cycles: [String] = []
  private var special: [String] = []
  private var empty: [String] = []
  private let realRoot: String
  private let links: Links
  private let mostFiles: Int
  /// Paths without links of what links led to.
  private var seen: Set<Exact> = []

  /// Reads a folder. `takes` is asked for each file, and for each folder before it is entered. Throws for what cannot be
  /// read, and for more than `mostFiles` files.
  public init(
    _ root: String, links: Links, mostFiles: Int = .max, takes: (_ name: String, _ isFolder: Bool) -> Bool
  ) throws(SystemError) {
    self.links = links
    self.mostFiles = mostFiles
    realRoot = try System.realPath(root)
    let top = try Directory(root)
    try enter(top, name: "", above: [System.status(top.number, root)], linked: nil, takes)
    try settleLinks(takes)
    files.sort { $0.name.nameBytes.lexicographicallyPrecedes($1.name.nameBytes) }
  }

  /// Some of the files, and the kept links whose first file is one of them.
  public func only(_ takes: (_ name: String) -> Bool) -> TreeScan {
    var some = self
    some.files = files.filter { takes($0.name) }
    some.keptLinks = keptLinks.filter { link in
      let first = files.first {
        Exact($0.name) == Exact(link.path) || $0.name.utf8.starts(with: join(link.path, "").utf8)
      }
      return first.map { takes($0.name) } ?? false
    }
    return some
  }

  /// Where a file lies, without links.
  public func realPath(of file: File) -> String { file.linked ?? join(realRoot, file.name) }

  /// One line each, for people, about what is left out or unusual.
  public var warnings: [String] {
    [
      Self.line(outside, "link leads", "links lead", "outside the folder; what is there is taken"),
      Self.line(leftOutside, "link leads", "links lead", "outside the folder (left out)"),
      Self.line(repeated, "link leads", "links lead", "to what has another name here (taken once)"),
      Self.line(dangling, "link leads", "links lead", "nowhere (left out)"),
      Self.line(cycles, "link leads", "links lead", "back to a folder that contains it (left out)"),
      Self.line(special, "name is", "names are", "no regular file (device, pipe or socket) and left out"),
      Self.line(empty, "folder is", "folders are", "empty and left out"),
    ].compactMap { $0 }
  }

  private static func line(_ names: [String], _ one: String, _ several: String, _ what: String) -> String? {
    guard let first = names.first else { return nil }
    return names.count == 1 ? "\(first): this \(one) \(what)" : "\(names.count) \(several) \(what): \(first), …"
  }

  /// `linked`: the path without links, where a link led here. `above`: of the folder and those that it was entered from.
  private mutating func enter(
    _ folder: Directory, name: String, above: [FileStatus], linked: String?,
    _ takes: (_ name: String, _ isFolder: Bool) -> Bool
  ) throws(SystemError) {
    // Sorted, so that warnings do not depend on the order either.
    let entries = try System.names(in: folder.number, folder.path).sorted { Exact($0) < Exact($1) }
    for part in entries {
      let path = name.isEmpty ? part : name + "/" + part
      let own = try System.status(of: part, followingLinks: false, in: folder.number)
      try take(part, path, own, in: folder, above: above, linked: linked.map { join($0, part) }, takes)
    }
    if entries.isEmpty { empty.append(name.isEmpty ? "." : name) }
  }

  private mutating func take(
    _ part: String, _ path: String, _ own: FileStatus, in folder: Directory, above: [FileStatus], linked: String?,
    _ takes: (_ name: String, _ isFolder: Bool) -> Bool
  ) throws(SystemError) {
    var (status, linked) = (own, linked)
    if own.kind == .link {
      guard takes(path, false) || takes(path, true) else { return }
      do throws(SystemError) {
        status = try System.status(of: part, followingLinks: true, in: folder.number)
      } catch {
        guard error.isMissing || error.errno == System.isLink else { throw error }
        return dangling.append(path)
      }
    }
    guard takes(path, status.kind == .directory) else { return }
    if own.kind == .link {
      let real = try System.realPath(folder.path(of: part))
      if linked == nil, !isInside(real), !leavesOut(status) { outside.append(path) }
      if case .kept = links, isInside(real), Exact(real) != Exact(realRoot) {
        let inside = String(decoding: real.utf8.dropFirst(join(realRoot, "").utf8.count), as: UTF8.self)
        candidates.append(
          Candidate(link: Link(name: path, path: inside), realPath: real, status: status, above: above))
        return
      }
      linked = real
    }
    if let linked, case .once = links, !isNew(linked, path, status) { return }
    try add(path, status, above: above, linked: linked, takes) { () throws(SystemError) in
      try own.kind == .link ? Directory(folder.path(of: part)) : Directory(part, in: folder)
    }
  }

  /// Keeps the links that lead to what was taken, and follows the others.
  private mutating func settleLinks(_ takes: (_ name: String, _ isFolder: Bool) -> Bool) throws(SystemError) {
    var names = Set<Exact>()
    for file in candidates.isEmpty ? [] : files {
      names.insert(Exact(file.name))
      var parts = file.name.nameParts.dropLast()
      while !parts.isEmpty, names.insert(Exact(parts.joined(separator: "/"))).inserted { parts.removeLast() }
    }
    // What is followed may find more.
    while let candidate = candidates.popLast() {
      if names.contains(Exact(candidate.link.path)) {
        keptLinks.append(candidate.link)
      } else {
        try add(
          candidate.link.name, candidate.status, above: candidate.above, linked: candidate.realPath, takes
        ) { () throws(SystemError) in try Directory(candidate.realPath) }
      }
    }
  }

  /// Takes a file, or what is in a folder.
  private mutating func add(
    _ path: String, _ status: FileStatus, above: [FileStatus], linked: String?,
    _ takes: (_ name: String, _ isFolder: Bool) -> Bool, open: () throws(SystemError) -> Directory
  ) throws(SystemError) {
    switch status.kind {
    case .regular:
      guard files.count < mostFiles else {
        throw SystemError(errno: System.tooLarge, operation: "list", path: path)
      }
      files.append(File(name: path, status: status, folder: above[above.count - 1], linked: linked))
    case .directory:
      guard !above.contains(where: { $0.isSameFile(as: status) }) else { return cycles.append(path) }
      let next = try open()
      // What was opened counts, not what was looked at.
      let opened = try System.status(next.number, next.path)
      guard opened.isSameFile(as: status) else {
        throw SystemError(errno: System.isLink, operation: "go through", path: next.path)
      }
      try enter(next, name: path, above: above + [opened], linked: linked, takes)
    default: special.append(path)
    }
  }

  /// Whether what a link led to is to be taken where each file is taken once. Says why not.
  private mutating func isNew(_ real: String, _ path: String, _ status: FileStatus) -> Bool {
    if isInside(real) {
      repeated.append(path)
    } else if leavesOut(status) {
      leftOutside.append(path)
    } else if seen.insert(Exact(real)).inserted {
      return true
    } else {
      repeated.append(path)
    }
    return false
  }

  private func leavesOut(_ status: FileStatus) -> Bool {
    guard case .once(let outside) = links else { return false }
    switch outside {
    case .nothing: return true
    case .files: return status.kind == .directory
    case .all: return false
    }
  }

  private func isInside(_ real: String) -> Bool {
    Exact(real) == Exact(realRoot) || real.utf8.starts(with: join(realRoot, "").utf8)
  }
}

/// What a link says.
public func linkTarget(_ path: String) throws(SystemError) -> String { try System.linkTarget(path) }

/// A path without links, `.` and `..`; nil if nothing is there.
public func realPath(_ path: String) -> String? { try? System.realPath(path) }

/// A name below a folder.
public func join(_ folder: String, _ name: String) -> String {
  folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
}

/// Whether a name fits one of a shell's patterns, as a whole or by its last part; `*` takes slashes too. A name fits itself,
/// whatever its characters mean in a pattern.
public func matchesAny(_ name: String, _ patterns: [String]) -> Bool {
  guard !patterns.isEmpty else { return false }
  let last = name.nameParts.last { !$0.isEmpty } ?? name
  return patterns.contains { pattern in
    [name, last].contains { Exact($0) == Exact(pattern) || System.matches($0, pattern) }
  }
}
