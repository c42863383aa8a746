internal import SwzipCore
internal import SwzipInputs

/// A member of a plan: what its header says, and how its segments are coded.
struct PlannedMember {
  var header: MemberHeader
  var layout: Layout
  let origin: Origin
  /// What it may be differences to; once that is planned, the bases in the header.
  var bases: [PackBase] = []

  enum Origin {
    /// Open already; a pipe may have been read from.
    case input(ForwardInput)
    case file(PackMember)
    /// Small files, one after another.
    case bundle([PackMember])
  }

  /// Opens the bytes anew; not for what is open already.
  var source: @Sendable () throws(SwzipError) -> any RandomSource {
    switch origin {
    case .input: { () throws(SwzipError) in throw SwzipError(.refused, .notRandomAccess) }
    case .file(let member): member.open
    case .bundle(let members):
      { [files = header.files ?? []] () throws(SwzipError) in JoinedSource(members, files.map(\.byteCount)) }
    }
  }

  /// The bytes from the start on.
  func open() throws(SwzipError) -> ForwardInput {
    let input: ForwardInput
    if case .input(let open) = origin {
      input = open
    } else {
      let source = try source()
      guard source.byteCount == header.byteCount else { throw Self.changed }
      input = try ForwardInput(source)
    }
    if header.storesSHA256 { input.addSHA256(of: header.files) }
    return input
  }

  static let changed = SwzipError.sourceChanged
}

extension SwzipError {
  /// Of a file that is packed.
  package static let sourceChanged = SwzipError(
    .io, .system, detail: "it changed while it was read; run it again when nobody writes to it")

  /// The same, seen while it is read.
  static let sourceShortened = SwzipError(
    .io, .system, detail: "it became shorter while it was read; run it again when nobody writes to it")

  package var isSourceChange: Bool { [Self.sourceChanged.detail, Self.sourceShortened.detail].contains(detail) }
}
