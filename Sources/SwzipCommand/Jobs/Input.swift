internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// An opened operand.
struct Input {
  let name: String
  let source: any ForwardSource
  /// Nil for a URL.
  let handle: FileHandle?
  /// What the file was when it was opened; nil for stdin.
  let status: FileStatus?
  /// What the folder that it lies in must be when it is removed.
  let folder: FileStatus?

  /// Links are followed for reading, except where the source is to be removed. Directories are refused; devices,
  /// pipes and sockets need `force`: opening them may wait or do things. `found`: what it must be. `takesURLs`: of the verbs
  /// that read containers alone.
  init(
    _ operand: Operand, found: TreeScan.File? = nil, force: Bool, forRemoval: Bool = false, takesURLs: Bool = false
  ) throws(Failure) {
    name = operand.name
    folder = found?.folder
    if takesURLs, HTTPSource.isURL(operand.name) {
      if forRemoval { throw .refused(name, "it is no file here, which --rm could remove; drop --rm") }
      (handle, status) = (nil, nil)
      source = try attemptLibrary(name) { () throws(SwzipError) in try HTTPSource(url: operand.name).forward() }
      return
    }
    let handle: FileHandle
    switch operand {
    case .standardInput:
      handle = FileHandle.standardInput
      status = nil
    case .path(let path):
      let before = try attempt(path) { () throws(SystemError) in
        try FileStatus.of(path, followingLinks: !forRemoval)
      }
      try Input.check(before, path, force: force, forRemoval: forRemoval)
      handle = try attempt(path) { () throws(SystemError) in
        try FileHandle.open(path, followingLinks: !forRemoval)
      }
      if forRemoval { try Removal.prepare(path, handle) }
      let now = try attempt(path) { () throws(SystemError) in try handle.status() }
      guard now.isSameFile(as: found?.status ?? before) else {
        throw Failure(.failed, path: path, text: "it changed just now; run it again")
      }
      status = now
    }
    self.handle = handle
    source = try attempt(name) { () throws(SystemError) in try FileStream(handle) }
  }

  private static func check(_ status: FileStatus, _ path: String, force: Bool, forRemoval: Bool) throws(Failure) {
    switch status.kind {
    case .regular:
      if forRemoval, status.linkCount > 1 {
        throw .refused(path, "it has \(status.linkCount) names (hard links), so --rm would free nothing; drop --rm")
      }
    case .directory: throw .refused(path, "it is a directory; name the files in it")
    case .link:
      throw .refused(path, "it is a symbolic link, which --rm never removes; drop --rm or name the file itself")
    case .pipe, .socket, .device, .other:
      if forRemoval { throw .refused(path, "it is not a regular file, which --rm never removes; drop --rm") }
      if !force { throw .refused(path, "it is not a regular file; read it through - or with -f") }
    }
  }

  /// Refuses a container that would have to be typed.
  func checkIsNoTerminal(force: Bool) throws(Failure) {
    guard status == nil, handle?.isTerminal == true, !force else { return }
    throw .refused(name, "compressed data is not read from a terminal; name a file")
  }

  /// The file is still the one that was opened, and nobody wrote to it meanwhile.
  func checkUnchanged() throws(Failure) {
    guard let handle, let status, status.kind == .regular else { return }
    let now = try attempt(name) { () throws(SystemError) in try handle.status() }
    guard now.hasSameContent(as: status) else { throw Failure(SwzipError.sourceChanged, path: name) }
  }

  /// Whether it is the container of a folder.
  func beginsFolder() throws(SwzipError) -> Bool {
    if let stream = source as? FileStream { return try stream.beginsFolder() }
    return try source.atRandom().beginsFolder()
  }

  /// Whether the input is a container already. A read error shows when the file is read in earnest.
  var isContainer: Bool { (try? source.random?.beginsContainer()) == true }
}
