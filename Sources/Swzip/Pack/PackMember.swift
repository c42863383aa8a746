public import SwzipCore
internal import SwzipInputs

/// A file that becomes one of the members of a container.
public struct PackMember: Sendable {
  /// A relative path that `MemberName.problem` finds nothing wrong with.
  public var name: String
  /// Permission bits, at most 0777; nil: not stored.
  public var mode: UInt16?
  /// Time of the last change in nanoseconds since 1970; nil: not stored.
  public var time: Int64?
  /// Opens the file, at its start; called up to a few times, by one thread at a time. The source must have a length, and
  /// give the same bytes each time.
  public var open: @Sendable () throws(SwzipError) -> any InputSource

  public init(
    name: String, mode: UInt16? = nil, time: Int64? = nil,
    open: @escaping @Sendable () throws(SwzipError) -> any InputSource
  ) {
    self.name = name
    self.mode = mode
    self.time = time
    self.open = open
  }
}

/// A member with its layout, ready to be packed.
struct PlannedMember {
  var header: MemberHeader
  var layout: Layout
  let origin: Origin

  enum Origin {
    /// Open already; a pipe may have been read from.
    case input(ForwardInput)
    case file(PackMember)
  }

  /// The bytes from the start on.
  func open() throws(SwzipError) -> ForwardInput {
    switch origin {
    case .input(let input): return input
    case .file(let member):
      let source = try member.open()
      guard source.byteCount == header.byteCount else { throw Self.changed }
      return try ForwardInput(source, sha256: header.storesSHA256)
    }
  }

  static let changed = SwzipError(
    .io, .system, detail: "it changed while it was read; run it again when nobody writes to it")
}
