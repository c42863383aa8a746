public import SwzipCore
public import SwzipNames

/// A file that becomes one of the members of a container.
public struct PackMember: Sendable {
  /// A relative path (spec/FORMAT.md, section 8).
  public var name: String
  /// Permission bits, at most 0777; nil: not stored.
  public var mode: UInt16?
  /// Time of the last change; nil: not stored.
  public var time: FileTime?
  /// Of a symbolic link: the name of the member, or of a folder of members, that it leads to.
  public private(set) var linkPath: String?
  /// Opens the file, at its start; called up to a few times, by one thread at a time. The source must give the
  /// same bytes each time.
  public var open: @Sendable () throws(SwzipError) -> any RandomSource
  /// What it may be packed as differences to: the nearest versions first.
  public var bases: [PackBase]

  public init(
    name: String, mode: UInt16? = nil, time: FileTime? = nil, bases: [PackBase] = [],
    open: @escaping @Sendable () throws(SwzipError) -> any RandomSource
  ) {
    self.name = name
    self.mode = mode
    self.time = time
    self.bases = bases
    self.open = open
  }

  /// A symbolic link to the member, or folder of members, `path`.
  public init(name: String, linkTo path: String) {
    // There is nothing to read.
    self.init(name: name) { () throws(SwzipError) in unsafe MemorySource(UnsafeRawBufferPointer(start: nil, count: 0)) }
    linkPath = path
  }
}

/// Another version of a file, that it may be packed as differences to. Who unpacks needs the same bytes.
public struct PackBase: Sendable {
  /// A file name for people to look for.
  public var hint: String
  /// Of the original bytes, if it is known.
  var sha256: Digest?
  /// Nobody asked for it: that it is of no use is worth no word.
  package var isOnlyTried = false
  /// Opens the original bytes, as `PackMember.open`; they may then be read by several threads at once.
  public var open: @Sendable () throws(SwzipError) -> any RandomSource

  public init(hint: String, open: @escaping @Sendable () throws(SwzipError) -> any RandomSource) {
    self.hint = hint
    self.open = open
  }

  /// The base in a file: the file itself, or what a container holds: its only member, or the one of this name, of which
  /// there may be none. `bases`: what the base needs in turn.
  public init?(_ file: BaseFile, member: String? = nil, bases: (any BaseResolver)? = nil) throws(SwzipError) {
    let source = try file.open()
    guard try source.beginsContainer() else {
      self.init(hint: file.name, open: file.open)
      return
    }
    let container = try Container(source, bases: bases)
    guard !container.isFolder || member != nil else { throw SwzipError(.refused, .severalFiles) }
    let number =
      container.isFolder
      ? container.members.firstIndex { $0.link == nil && Exact($0.name) == member.map { Exact($0) } } : 0
    guard let number else { return nil }
    self.init(container, number, of: file)
  }

  /// The bases in the container of a folder, by name. Throws `oneFile` for anything else.
  package static func members(
    of file: BaseFile, bases: (any BaseResolver)? = nil
  ) throws(SwzipError) -> [Exact: PackBase] {
    let source = try file.open()
    guard try source.beginsContainer() else { throw SwzipError(.refused, .oneFile) }
    let container = try Container(source, bases: bases)
    guard container.isFolder else { throw SwzipError(.refused, .oneFile) }
    let named = container.members.enumerated().map { (Exact($1.name), PackBase(container, $0, of: file)) }
    return Dictionary(named) { first, _ in first }
  }

  private init(_ container: Container, _ number: Int, of file: BaseFile) {
    self.init(hint: file.name) { () throws(SwzipError) in MemberSource(container, member: number) }
  }
}
