internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem
internal import Synchronization

/// A folder that is being unpacked.
final class FolderOutput: MemberSinks, OpenOutput {
  private struct State {
    /// Of each member by its number; nil: not written.
    var names: [Int: String] = [:]
    /// Those to publish.
    var published: [String] = []
    var current: (info: MemberInfo, handle: FileHandle, sink: FileSink)?
    /// Written, but not synced and closed yet.
    var unsynced: [FileHandle] = []
    /// The member that was read back last.
    var opened: (member: Int, handle: FileHandle)?
    var failure: (error: SystemError, path: String)?
    /// Files that are not to be published, by their names and all folders of them; nil until the first link.
    var hidden: [Exact: [String]]?
    /// Files that links brought.
    var brought = Set<Exact>()
  }

  private let name: String
  private let folder: SharedFolder
  private let state = Mutex(State())
  private let mask = Process.creationMask()
  private let keepsAll: Bool
  private let holes: Holes
  private let takes: @Sendable (String) -> Bool
  private static let folderMode: UInt32 = 0o777

  /// `names` and `expected`, the size: of what will be written, as far as it is known; what is in the way and a full disk
  /// then show now. `keepsAll`: members that are not published are written too, for later ones that refer to them.
  init(
    _ path: String, in place: FileStatus? = nil, names: [String] = [], expected: UInt64? = nil, _ settings: Settings,
    keepsAll: Bool, takes: @escaping @Sendable (String) -> Bool
  ) throws(Failure) {
    removeStaleFilesOnce(beside: path)
    let folder = try attempt(path) { () throws(SystemError) in try AtomicFolder(target: path, in: place) }
    do throws(SystemError) {
      for name in names { try folder.check(name, replacing: settings.force) }
    } catch {
      throw Failure(error, path: error.path)
    }
    if settings.holes != .only, let expected, let free = folder.freeByteCount, expected > free {
      throw Failure(
        .failed, path: path,
        text:
          "it takes \(formatSize(expected)), \(formatSize(free)) are free; free some space, or write elsewhere with -o"
      )
    }
    name = path
    self.folder = SharedFolder(folder: folder)
    self.keepsAll = keepsAll
    holes = settings.holes
    self.takes = takes
  }

  var isNew: Bool { folder.folder.isNew }

  var writeFailure: Failure? {
    let failure = state.withLock { state in
      state.failure
        ?? state.current.flatMap { current in
          current.sink.failure.map { (error: $0, path: current.handle.path) }
        }
    }
    return failure.map { Failure($0.error, path: $0.path) }
  }

  func finish(
    copying copied: FileStatus?, readableAs sources: [FileStatus], force: Bool
  ) throws(Failure) -> Durability {
    do throws(SwzipError) { try settle() } catch { throw writeFailure ?? Failure(error, path: name) }
    do throws(SystemError) {
      let mode = try folder.folder.mode(Self.folderMode & ~mask, readableAs: sources)
      return try folder.folder.publish(published, folderMode: mode, replacing: force)
    } catch {
      throw Failure(error, path: error.path)
    }
  }

  var published: [String] { state.withLock { $0.published } }

  /// Keeps what the system was asked for, which the library's error does not.
  private func call<Result>(_ name: String, _ call: () throws(SystemError) -> Result) throws(SwzipError) -> Result {
    do throws(SystemError) { return try call() } catch {
      state.withLock { $0.failure = (error, name) }
      throw SwzipError(error)
    }
  }

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    let isTaken = takes(member.name)
    guard isTaken || keepsAll else { return nil }
    try NameRules.checkHere(member.name)
    let handle = try call(member.name) { () throws(SystemError) in
      let handle = try folder.folder.create(member.name)
      if holes != .only { try handle.reserve(member.byteCount ?? 0) }
      return handle
    }
    let sink = FileSink(handle, canReadBack: true, makesHoles: holes != .none)
    state.withLock { state in
      state.names[number] = member.name
      if isTaken { state.published.append(member.name) }
      state.current = (member, handle, sink)
    }
    return sink
  }

  func end() throws(SwzipError) {
    guard let (member, handle, sink) = state.withLock({ $0.current }) else { return }
    try sink.finish()
    try call(handle.path) { () throws(SystemError) in
      try handle.setMode(UInt32(member.mode ?? 0o666) & ~mask)
      if let time = member.time { try handle.setTimes(accessed: time, modified: time) }
    }
    let count = state.withLock { state in
      state.current = nil
      state.unsynced.append(handle)
      return state.unsynced.count
    }
    if count >= FolderOutput.mostUnsynced { try settle() }
  }

  /// So many small files are synced together: one after the other each waits for the disk.
  private static let mostUnsynced = 64

  /// Brings all that was written to the disk.
  private func settle() throws(SwzipError) {
    let handles = state.withLock { state in
      defer { state.unsynced = [] }
      return state.unsynced
    }
    Workers.run(threads: FolderOutput.mostUnsynced / 4, count: handles.count) { index in
      do throws(SystemError) {
        try handles[index].sync()
        // Some file systems report a full disk here and nowhere else.
        try handles[index].close()
      } catch {
        state.withLock { $0.failure = (error, handles[index].path) }
      }
    }
    if let failure = state.withLock({ $0.failure }) { throw SwzipError(failure.error) }
  }

  func link(_ name: String, to target: String, path: String) throws(SwzipError) {
    guard takes(name) else { return }
    try NameRules.checkHere(name)
    try call(name) { () throws(SystemError) in try folder.folder.createLink(name, to: target) }
    state.withLock { state in
      // A link brings what it leads to; each file is looked at once, however many links lead to it.
      if state.hidden == nil { state.hidden = FolderOutput.hidden(state.names, published: state.published) }
      for file in state.hidden?.removeValue(forKey: Exact(path)) ?? []
      where state.brought.insert(Exact(file)).inserted {
        state.published.append(file)
      }
      state.published.append(name)
    }
  }

  /// Gives a member that has ended another name.
  func rename(_ name: String, to new: String) throws(SwzipError) {
    try call(name) { () throws(SystemError) in try folder.folder.rename(name, to: new) }
    func renamed(_ known: String) -> String { Exact(known) == Exact(name) ? new : known }
    state.withLock { state in
      state.published = state.published.map(renamed)
      state.names = state.names.mapValues(renamed)
    }
  }

  /// A file of words beside the members.
  func add(_ name: String, _ text: String) throws(SwzipError) {
    try NameRules.checkHere(name)
    let handle = try call(name) { () throws(SystemError) in
      let handle = try folder.folder.create(name)
      try handle.write(text)
      try handle.setMode(0o666 & ~mask)
      return handle
    }
    state.withLock { state in
      state.published.append(name)
      state.unsynced.append(handle)
    }
  }

  private static func hidden(_ names: [Int: String], published: [String]) -> [Exact: [String]] {
    guard names.count > published.count else { return [:] }
    let known = Set(published.map { Exact($0) })
    var hidden: [Exact: [String]] = [:]
    for (_, name) in names.sorted(by: { $0.key < $1.key }) where !known.contains(Exact(name)) {
      var parts = name.nameParts
      while !parts.isEmpty {
        hidden[Exact(parts.joined(separator: "/")), default: []].append(name)
        parts.removeLast()
      }
    }
    return hidden
  }

  /// Whether a name, or a folder of it, is one of `names`.
  static func isIn(_ names: Set<Exact>, _ name: String) -> Bool {
    var parts = name.nameParts
    while !parts.isEmpty {
      if names.contains(Exact(parts.joined(separator: "/"))) { return true }
      parts.removeLast()
    }
    return false
  }

  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    let handle = try handle(of: member)
    let count: Int
    // The caller's buffer is passed on.
    do throws(SystemError) { count = unsafe try handle.read(at: position, into: buffer) } catch {
      throw SwzipError(error)
    }
    guard count == buffer.count else {
      throw SwzipError(.io, .system, detail: "what was written cannot be read back; the disk may be failing")
    }
  }

  private func handle(of member: Int) throws(SwzipError) -> FileHandle {
    let (opened, name) = state.withLock { ($0.opened, $0.names[member]) }
    if let opened, opened.member == member { return opened.handle }
    guard let name else { throw SwzipError(.refused, .notRandomAccess) }
    let handle = try call(name) { () throws(SystemError) in try folder.folder.open(name) }
    state.withLock { $0.opened = (member, handle) }
    return handle
  }
}

/// `AtomicFolder` is used by one thread at a time, but for `open`, which changes nothing.
private struct SharedFolder: @unchecked Sendable {
  let folder: AtomicFolder
}

/// Compares what is unpacked with files that are there already.
final class ComparingMembers: MemberSinks {
  private let folder: String
  private let current = Mutex<ComparingSink?>(nil)

  init(_ folder: String) { self.folder = folder }

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    let handle: FileHandle
    do throws(SystemError) { handle = try FileHandle.open(folder + "/" + member.name, followingLinks: false) } catch {
      throw SwzipError(error)
    }
    handle.forgetPages()
    let sink = ComparingSink(try FileSource(handle))
    current.withLock { $0 = sink }
    return sink
  }

  func end() throws(SwzipError) { try current.withLock { $0 }?.checkEnd() }

  func link(_ name: String, to target: String, path: String) throws(SwzipError) {
    let found: String
    do throws(SystemError) { found = try linkTarget(folder + "/" + name) } catch { throw SwzipError(error) }
    guard Exact(found) == Exact(target) else { throw ComparingSink.difference }
  }

  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }
}
