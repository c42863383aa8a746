internal import CSwzipKernels

/// The pairs of float types of which one determines the other (spec/codecs/cast.md).
package struct CastKind: Equatable, Sendable {
  let kernel: swzip_cast_kind
  /// The type that is referred to.
  package let reference: ElementType
  package let elementType: ElementType

  package init?(_ elementType: ElementType, from reference: ElementType) {
    switch (elementType, reference) {
    case (.bf16, .f32): kernel = SWZIP_CAST_F32_TO_BF16
    case (.f16, .f32): kernel = SWZIP_CAST_F32_TO_F16
    case (.f32, .bf16): kernel = SWZIP_CAST_BF16_TO_F32
    case (.f32, .f16): kernel = SWZIP_CAST_F16_TO_F32
    default: return nil
    }
    self.reference = reference
    self.elementType = elementType
  }

  package static func == (a: Self, b: Self) -> Bool { a.kernel.rawValue == b.kernel.rawValue }

  /// Whether the lower halves of the values are stored in the block.
  var storesLowHalves: Bool { kernel.rawValue == SWZIP_CAST_BF16_TO_F32.rawValue }

  /// How many of `values` differ from what `reference` determines.
  package func misses(
    _ values: UnsafeRawBufferPointer, _ reference: UnsafeRawBufferPointer, scratch: EncodeScratch
  ) -> Int {
    var misses = 0
    for start in stride(from: 0, to: values.count / elementType.width, by: Limits.writtenBlockValues(width: 4)) {
      let end = min(start + Limits.writtenBlockValues(width: 4), values.count / elementType.width)
      misses += unsafe CastBlock.differences(
        UnsafeRawBufferPointer(rebasing: values[(start * elementType.width)..<(end * elementType.width)]),
        UnsafeRawBufferPointer(rebasing: reference[(start * self.reference.width)..<(end * self.reference.width)]),
        kind: self, scratch: scratch)
    }
    return misses
  }
}

/// Blocks of mode cast.
enum CastBlock {
  /// What decoding takes in the scratch.
  enum Area: Int, ScratchArea { case low, high }

  /// What encoding takes: a plane for each byte of wide values, and what is predicted, up to four planes.
  private enum SplitArea: Int, ScratchArea { case low, high, third, top, predicted }

  /// Room that a frame may take while it is being written.
  static func bound(_ count: Int, kind: CastKind) -> Int {
    64 + (kind.storesLowHalves ? 2 * PlaneSection.bound(count) : 0) + (4 + kind.elementType.width) * (count / 16 + 1)
  }

  /// Positions in the scratch's `missing` where values differ from the prediction; returns how many there are. The
  /// lower bytes of F32 lie in planes 0 and 1 afterwards.
  static func differences(
    _ values: UnsafeRawBufferPointer, _ reference: UnsafeRawBufferPointer, kind: CastKind, scratch: EncodeScratch
  ) -> Int {
    let width = kind.elementType.width
    let count = values.count / width
    if kind.storesLowHalves {
      let planes = unsafe scratch.planes(4)
      unsafe planes.withUnsafeBufferPointer {
        unsafe swzip_planes_split(values.baseAddress!, UInt32(count), 4, $0.baseAddress!)
      }
    }
    let predicted = unsafe UnsafeMutableRawPointer(scratch.area(SplitArea.predicted))
    unsafe swzip_cast(
      kind.kernel, reference.baseAddress!, UInt32(count), scratch.area(SplitArea.low), scratch.area(SplitArea.high),
      predicted)
    return unsafe Int(
      swzip_differences(
        values.baseAddress!, predicted, UInt32(count), UInt32(width), scratch.missing,
        UInt32(EncodeScratch.missingCapacity)))
  }

  /// Writes the payload; returns the frame's size, nil where there are too many patches.
  static func encode(
    _ source: UnsafeRawBufferPointer, _ reference: UnsafeRawBufferPointer, kind: CastKind,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch, effort: Effort
  ) -> Int? {
    let width = kind.elementType.width
    let count = source.count / width
    let patches = unsafe differences(source, reference, kind: kind, scratch: scratch)
    guard patches <= min(count / 16, EncodeScratch.missingCapacity) else { return nil }
    // The sections' encoder uses no list of its own before the positions are copied out.
    let positions = (0..<patches).map { unsafe scratch.missing[$0] }
    unsafe BytesBlock.clearParameters(frame)
    unsafe frame.storeBytes(of: UInt32(patches).littleEndian, toByteOffset: 28, as: UInt32.self)
    var offset = 32
    if kind.storesLowHalves {
      for plane in [SplitArea.low, .high] {
        offset = unsafe PlaneSection.encode(
          UnsafeRawBufferPointer(start: scratch.area(plane), count: count), into: frame.baseAddress!, at: offset,
          scratch: scratch, effort: effort)
      }
    }
    offset = unsafe ValuePatches.write(positions, of: source, width: width, into: frame, at: offset)
    return unsafe padFrame(frame.baseAddress!, from: offset)
  }

  /// Decodes a block, given what it refers to.
  static func decode(
    _ frame: UnsafeRawBufferPointer, kind: CastKind, reference: UnsafeRawBufferPointer,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) {
    let width = kind.elementType.width
    let count = out.count / width
    let patches = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 28, as: UInt32.self)))
    guard patches <= count / 16 else { throw SwzipError(.corrupt, .patches, at: position) }
    var offset = 32
    var low: UnsafePointer<UInt8>?
    var high: UnsafePointer<UInt8>?
    if kind.storesLowHalves {
      let first = try unsafe PlaneSection.decode(
        frame, at: offset, count: count, into: scratch.area(Area.low), scratch: scratch, position: position)
      let second = try unsafe PlaneSection.decode(
        frame, at: first.end, count: count, into: scratch.area(Area.high), scratch: scratch, position: position)
      unsafe low = first.bytes
      unsafe high = second.bytes
      offset = second.end
    }
    let end = offset + ValuePatches.byteCount(patches, width: width)
    guard end <= frame.count, (end + 15) & ~15 == frame.count else {
      throw SwzipError(.corrupt, .frameSize, at: position)
    }
    try unsafe checkPadding(frame, end..<frame.count, at: position)
    unsafe swzip_cast(kind.kernel, reference.baseAddress!, UInt32(count), low, high, out.baseAddress!)
    try unsafe ValuePatches.apply(frame, at: offset, patches, to: out, width: width, position: position)
  }
}
