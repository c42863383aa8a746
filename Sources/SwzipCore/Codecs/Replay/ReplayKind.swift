internal import CSwzipKernels

/// A type of quants whose blocks follow from their scales and the values that they were made of, and the type of those
/// (spec/codecs/replay.md).
package struct ReplayKind: Equatable, Sendable {
  /// Elements of the largest block.
  package static let mostElements = 1 << 18

  package let elementType: ElementType
  /// The type of the values.
  package let source: ElementType
  let kernel: swzip_replay
  let shape: swzip_replay_shape

  /// Nil where there is no formula.
  package init?(_ elementType: ElementType, from source: ElementType) {
    guard elementType.isBlock else { return nil }
    self.elementType = elementType
    self.source = source
    switch source {
    case .bf16: kernel = swzip_replay(type: UInt32(elementType.rawValue & 63), source: SWZIP_REPLAY_BF16)
    case .f16: kernel = swzip_replay(type: UInt32(elementType.rawValue & 63), source: SWZIP_REPLAY_F16)
    case .f32: kernel = swzip_replay(type: UInt32(elementType.rawValue & 63), source: SWZIP_REPLAY_F32)
    default: return nil
    }
    shape = swzip_replay_shape_of(kernel.type)
    guard shape.elements > 0 else { return nil }
    precondition(Int(shape.elements) == elementType.elementsPerValue && Int(shape.bytes) == elementType.width)
  }

  package static func == (a: Self, b: Self) -> Bool { a.elementType == b.elementType && a.source == b.source }

  var elements: Int { Int(shape.elements) }
  /// Bytes of what one value was made of.
  package var referenceWidth: Int { elements * source.width }
  /// Values of the largest block.
  var mostValues: Int { min(Self.mostElements / elements, Limits.recordBlockBytes / elementType.width) }
  /// Most codes of `count` values that a block may have otherwise than computed.
  static let mostChanges = 8192

  /// How many symbols of each context a block has, in their order.
  func runs(_ count: Int, changes: Int) -> [Int] {
    let (minima, grouped) = (shape.has_minimum ? 1 : 0, count * Int(shape.groups))
    return [count, count * minima, grouped, grouped * minima, changes, changes]
  }

  /// How many codes of at most a block's values are not what `reference` says; all where it says nothing of them.
  package func misses(
    _ values: UnsafeRawBufferPointer, _ reference: UnsafeRawBufferPointer, scratch: EncodeScratch
  ) -> Int {
    unsafe ReplayBlock.Differences(values, reference, self, scratch: scratch)?.changed
      ?? values.count / elementType.width * elements
  }
}
