internal import SwzipNames

/// The names below a folder that are no folders themselves, with what each is; links are not followed.
public func entries(below root: String) throws(SystemError) -> [String: FileStatus] {
  var found: [String: FileStatus] = [:]
  func enter(_ folder: Directory, _ prefix: String) throws(SystemError) {
    for name in try System.names(in: folder.number, folder.path) {
      let status = try System.status(of: name, followingLinks: false, in: folder.number)
      if status.kind == .directory {
        try enter(Directory(name, in: folder), prefix + name + "/")
      } else {
        found[prefix + name] = status
      }
    }
  }
  try enter(Directory(root), "")
  return found
}

/// Gives a folder another name beside it, which must be new, and syncs the folder that both lie in.
public func renameFolder(_ path: String, to name: String) throws(SystemError) -> Durability {
  guard let (parent, old) = splitPath(path) else {
    throw SystemError(errno: System.invalid, operation: "rename", path: path)
  }
  let directory = try Directory(parent)
  do throws(SystemError) {
    try System.renameNoReplace((old, directory.number), (name, directory.number), path)
  } catch {
    guard error.isUnsupported else { throw error }
    // Only an empty folder can be replaced by one.
    try System.makeDirectory(name, mode: 0o700, in: directory.number, path)
    try System.rename((old, directory.number), (name, directory.number), path)
  }
  return directory.sync()
}

/// Removes files and links below a folder, by their names there, then the folders, which must be empty, that one too, and syncs.
/// Links are never gone through.
public func removeFolder(_ path: String, files: some Collection<String>) throws(SystemError) -> Durability {
  guard let (parent, name) = splitPath(path) else {
    throw SystemError(errno: System.invalid, operation: "remove", path: path)
  }
  let above = try Directory(parent)
  let root = try Directory(name, in: above)
  for file in files {
    let parts = file.nameParts
    var place = root
    for part in parts.dropLast() { place = try Directory(part, in: place) }
    guard let last = parts.last else { continue }
    try System.unlink(last, in: place.number, place.path(of: last))
  }
  try removeFolders(name, in: above)
  return above.sync()
}

/// Removes a folder of folders.
private func removeFolders(_ name: String, in parent: Directory) throws(SystemError) {
  do {
    let folder = try Directory(name, in: parent)
    for entry in try System.names(in: folder.number, folder.path)
    where try System.status(of: entry, followingLinks: false, in: folder.number).kind == .directory {
      try removeFolders(entry, in: folder)
    }
  }
  try System.removeDirectory(name, in: parent.number, parent.path(of: name))
}
