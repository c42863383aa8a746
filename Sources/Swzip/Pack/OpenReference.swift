internal import SwzipCore

/// What a segment refers to, where it can be read while the segment is packed. May be used by several threads at once.
struct OpenReference {
  let source: any RandomSource
  let offset: UInt64

  /// Exactly as many bytes as `target` holds, from `offset` in the range on.
  func read(at offset: UInt64, into target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard try unsafe source.read(at: self.offset + offset, into: target) == target.count else {
      throw PlannedMember.changed
    }
  }
}

extension SegmentRange {
  /// Where in the bytes of `predicted` those of a part of the range's bytes lie.
  func base(of part: Range<Int>) -> Range<Int> {
    let (width, wide) = (elementType.width, derivation.baseWidth(elementType))
    guard wide != width else { return part }
    return (part.lowerBound / width * wide)..<(part.upperBound / width * wide)
  }

  /// Opens what the range refers to, but for copies within the container: those were compared when they were found.
  /// `bases`: by number; `file`: a file of the container by number.
  func open(
    bases: [any RandomSource], file: (Int) throws(SwzipError) -> (any RandomSource)?
  ) throws(SwzipError) -> [OpenReference] {
    if case .copy(.earlier) = derivation { return [] }
    var opened: [OpenReference] = []
    for reference in references {
      let source: (any RandomSource)? =
        switch reference {
        case .base(let number, _): bases[Int(number)]
        case .earlier(let member, _): try file(Int(member))
        }
      if let source { opened.append(OpenReference(source: source, offset: reference.offset)) }
    }
    return opened
  }

  /// The bytes that the range's are compared with or differ from, or were made of, given what it refers to; nil if there are
  /// none.
  func predicted(
    from references: [OpenReference], _ pool: MemoryPool = MemoryPool()
  ) throws(SwzipError) -> Memory? {
    guard !references.isEmpty else { return nil }
    let prediction: Prediction
    let byteCount = derivation.baseWidth(elementType) * (self.byteCount / elementType.width)
    switch derivation {
    case .plain, .cast: return nil
    case .copy, .replay: prediction = .same
    case .delta(let other, _): prediction = other
    }
    let memory = try pool.take(byteCount)
    guard prediction != .same else {
      try unsafe references[0].read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<byteCount]))
      return memory
    }
    let width = prediction.referenceWidth(elementType)
    let most = Limits.writtenBlockValues(width: width)
    let parts = try references.map { _ throws(SwzipError) in try Memory(most * width) }
    for first in stride(from: 0, to: byteCount / elementType.width, by: most) {
      let count = min(most, byteCount / elementType.width - first)
      var values: [UnsafeRawBufferPointer] = unsafe []
      for (reference, part) in zip(references, parts) {
        try unsafe reference.read(
          at: UInt64(first * width), into: UnsafeMutableRawBufferPointer(rebasing: part.bytes[..<(count * width)]))
        unsafe values.append(part.prefix(count * width))
      }
      let place = (first * elementType.width)..<((first + count) * elementType.width)
      unsafe prediction.predict(
        elementType, from: values, into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[place]))
    }
    return memory
  }
}
