package import SwzipCore
internal import SwzipNames
package import SwzipSystem

/// The files and links of a folder on the disk, as members of a container.
package struct FolderFiles: Sendable {
  package let folder: String
  package private(set) var tree: TreeScan

  /// Reads the names. `takes` is asked for each file, and for each folder before it is entered; unasked, all are taken but what
  /// runs of swzip are writing. Refuses a folder without files, and names that no container has.
  package init(
    _ folder: String, takes: (_ name: String, _ isFolder: Bool) -> Bool = { name, _ in !isTemporary(name) }
  ) throws(SwzipError) {
    self.folder = folder
    do throws(SystemError) {
      tree = try TreeScan(folder, links: .kept, mostFiles: Limits.members, takes: takes)
    } catch {
      throw error.path.isEmpty ? SwzipError(error).of(folder) : SwzipError(error)
    }
    if tree.files.isEmpty { throw SwzipError(.refused, .system, file: folder, detail: "it holds no files to pack") }
    var names = MemberNames()
    for name in tree.files.map(\.name) + tree.keptLinks.map(\.name) {
      do throws(SwzipError) { try names.add(name, .refused) } catch { throw error.of(folder) }
    }
  }

  /// Some of them; a link goes with what it leads to.
  package func only(_ takes: (_ name: String) -> Bool) -> FolderFiles {
    var some = self
    some.tree = tree.only(takes)
    return some
  }

  package var byteCount: UInt64 { tree.files.reduce(0) { $0 &+ $1.status.byteCount } }

  /// Files in the order of their names, then links.
  package func members(storesTimes: Bool) -> [PackMember] {
    tree.files.map { file in
      PackMember(
        name: file.name, mode: UInt16(file.status.permissions), time: storesTimes ? file.status.modified : nil
      ) { [folder] () throws(SwzipError) in try FoundSource(join(folder, file.name), expecting: file.status) }
    }
      + tree.keptLinks.sorted { Exact($0.name) < Exact($1.name) }.map { PackMember(name: $0.name, linkTo: $0.path) }
  }

  package func contains(_ status: FileStatus) -> Bool { tree.files.contains { $0.status.isSameFile(as: status) } }

  /// Throws if a file is not as it was found.
  package func checkUnchanged() throws(SwzipError) {
    for file in tree.files {
      let path = join(folder, file.name)
      let now: FileStatus
      do throws(SystemError) { now = try FileStatus.of(path) } catch { throw SwzipError(error).of(path) }
      guard now.hasSameContent(as: file.status) else { throw PlannedMember.changed.of(path) }
    }
  }
}

/// A file that is the one that was found, and whose errors name it.
private final class FoundSource: RandomSource {
  private let file: FileSource
  private let path: String

  init(_ path: String, expecting status: FileStatus) throws(SwzipError) {
    self.path = path
    let (handle, now): (FileHandle, FileStatus)
    do throws(SystemError) {
      handle = try FileHandle.open(path)
      now = try handle.status()
    } catch {
      throw SwzipError(error).of(path)
    }
    file = try FileSource(handle)
    guard now.hasSameContent(as: status) else { throw PlannedMember.changed.of(path) }
  }

  var byteCount: UInt64 { file.byteCount }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on.
    do throws(SwzipError) { return unsafe try file.read(at: position, into: buffer) } catch { throw error.of(path) }
  }
}
