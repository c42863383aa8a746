/// The regular files under a folder.
public struct TreeScan: Sendable {
  public struct File: Sendable {
    /// Relative to the folder, parts separated by `/`.
    public let name: String
    /// Of the file itself, behind links.
    public let status: FileStatus
  }

  /// By the bytes of their names, whatever order the folder has.
  public private(set) var files: [File] = []
  private var outside: [String] = []
  private var dangling: [String] = []
  private var cycles: [String] = []
  private var special: [String] = []
  private var empty: [String] = []
  /// Links whose files lie outside the folder: names of files, or of folders that hold some.
  public var linksOutside: [String] { outside }
  private let realRoot: String
  private let mostFiles: Int

  /// Reads a folder. Links are followed; a folder that contains itself is cut where it does (by device and inode).
  /// `takes` is asked for each file, and for each folder before it is entered. Throws for what cannot be read, for a name
  /// that is not UTF-8, and for more than `mostFiles` files.
  public init(
    _ root: String, mostFiles: Int, takes: (_ name: String, _ isFolder: Bool) -> Bool
  ) throws(SystemError) {
    self.mostFiles = mostFiles
    realRoot = try System.realPath(root)
    let top = try Directory(root)
    _ = try enter(top, name: "", above: [System.status(top.number, root)], isLinked: false, takes)
    files.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// One line each, for people, about what is left out or unusual.
  public var warnings: [String] {
    [
      Self.line(outside, "link leads", "links lead", "outside the folder; what is there is packed"),
      Self.line(dangling, "link leads", "links lead", "nowhere and is left out"),
      Self.line(cycles, "link leads", "links lead", "back to a folder that contains it and is left out"),
      Self.line(special, "name is", "names are", "no regular file (device, pipe or socket) and left out"),
      Self.line(empty, "folder is", "folders are", "empty and left out"),
    ].compactMap { $0 }
  }

  private static func line(_ names: [String], _ one: String, _ several: String, _ what: String) -> String? {
    guard let first = names.first else { return nil }
    return names.count == 1 ? "\(first): this \(one) \(what)" : "\(names.count) \(several) \(what): \(first), …"
  }

  /// Returns whether anything was found in it.
  private mutating func enter(
    _ folder: Directory, name: String, above: [FileStatus], isLinked: Bool,
    _ takes: (_ name: String, _ isFolder: Bool) -> Bool
  ) throws(SystemError) -> Bool {
    // Sorted, so that warnings do not depend on the order either.
    let entries = try System.names(in: folder.number, folder.path)
      .sorted { $0.lexicographicallyPrecedes($1) }
    for bytes in entries {
      guard let part = String(validating: bytes, as: UTF8.self) else {
        throw SystemError(
          errno: System.illegalBytes, operation: "name", path: folder.path(of: String(decoding: bytes, as: UTF8.self)))
      }
      let path = name.isEmpty ? part : name + "/" + part
      let own = try System.status(of: part, followingLinks: false, in: folder.number)
      try take(part, path, own, in: folder, above: above, isLinked: isLinked, takes)
    }
    if entries.isEmpty { empty.append(name.isEmpty ? "." : name) }
    return !entries.isEmpty
  }

  private mutating func take(
    _ part: String, _ path: String, _ own: FileStatus, in folder: Directory, above: [FileStatus], isLinked: Bool,
    _ takes: (_ name: String, _ isFolder: Bool) -> Bool
  ) throws(SystemError) {
    var status = own
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
    if own.kind == .link, !isLinked, try !isInside(folder.path(of: part)) { outside.append(path) }
    switch status.kind {
    case .regular:
      guard files.count < mostFiles else {
        throw SystemError(errno: System.tooLarge, operation: "list", path: path)
      }
      files.append(File(name: path, status: status))
    case .directory:
      guard !above.contains(where: { $0.isSameFile(as: status) }) else { return cycles.append(path) }
      let next = try own.kind == .link ? Directory(folder.path(of: part)) : Directory(part, in: folder)
      _ = try enter(next, name: path, above: above + [status], isLinked: isLinked || own.kind == .link, takes)
    default: special.append(path)
    }
  }

  private func isInside(_ path: String) throws(SystemError) -> Bool {
    let real = try System.realPath(path)
    return real == realRoot || real.hasPrefix(realRoot.hasSuffix("/") ? realRoot : realRoot + "/")
  }
}

/// Whether a name fits one of a shell's patterns, as a whole or by its last part; `*` takes slashes too.
public func matchesAny(_ name: String, _ patterns: [String]) -> Bool {
  let last = name.split(separator: "/").last.map(String.init) ?? name
  return patterns.contains { System.matches(name, $0) || System.matches(last, $0) }
}
