internal import SwzipCore
internal import SwzipInputs

/// A member with its layout, ready to be packed.
struct PlannedMember {
  var header: MemberHeader
  var layout: Layout
  let origin: Origin
  /// The base in the header.
  var base: PackBase?

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
    switch origin {
    case .input(let input): return input
    case .file(let member):
      let source = try member.open()
      guard source.byteCount == header.byteCount else { throw Self.changed }
      return try ForwardInput(source, sha256: header.storesSHA256)
    case .bundle: return try ForwardInput(source(), sha256: header.storesSHA256, files: header.files)
    }
  }

  static let changed = SwzipError(
    .io, .system, detail: "it changed while it was read; run it again when nobody writes to it")
}

extension PlannedMember {
  /// Marks what is smaller given `base`, and names it in the header if anything is. `number`: of this member; `sources`: of
  /// all; `others`: ranges of it that other members refer to.
  mutating func refer(
    to base: PackBase, number: Int, of sources: MemberSources, others: [Range<UInt64>], _ options: PackOptions
  ) throws(SwzipError) {
    let original = try base.open()
    let byteCount = original.byteCount
    let other = try Layouts.find(ForwardInput(original, sha256: false), byteCount: byteCount, format: options.format)
    let source = try sources.source(number)
    let places = try BasePlaces(source, layout.tensors, base: original, other.tensors)
    let effort = Effort(level: options.level)
    try AdamFinder(source, number: number, base: original, places, effort: effort).mark(&layout, others: others)
    try DeltaFinder(source, base: original, places, effort: effort).mark(&layout)
    guard layout.segments.contains(where: \.needsBase) else {
      layout.warnings.append("nothing in it is like \(base.hint.printable); packed alone")
      return
    }
    let hint = String(base.hint.unicodeScalars.suffix(1024))
    // So that the container can be found as a base itself.
    header.storesSHA256 = true
    var digest = base.sha256
    if digest == nil { digest = try original.sha256() }
    header.bases = [BaseRecord(sha256: digest!, byteCount: byteCount, hint: hint)]
    self.base = base
  }
}
