/// A range of a member that becomes one segment: what an input's parser says of it, and what its values follow from.
package struct SegmentRange: Equatable, Sendable {
  package var offset: UInt64
  package var byteCount: Int
  package var elementType: ElementType
  /// Values a row, 0 where there are no rows.
  package var rowLength: Int
  package var derivation = Derivation.plain

  package init(offset: UInt64, byteCount: Int, elementType: ElementType, rowLength: Int = 0) {
    self.offset = offset
    self.byteCount = byteCount
    self.elementType = elementType
    self.rowLength = rowLength
  }

  package var end: UInt64 { offset + UInt64(byteCount) }
  /// Whether the values are those of a narrower type, and the lower halves that it lacks.
  package var isWidened: Bool {
    if case .cast(_, let type) = derivation { type.width < elementType.width } else { false }
  }

  /// The same range, derived otherwise.
  package func derived(_ derivation: Derivation) -> SegmentRange {
    var derived = self
    derived.derivation = derivation
    return derived
  }

  /// What this refers to in member `number` of the container.
  package func ranges(in number: Int) -> [Range<UInt64>] {
    references.compactMap { reference in
      guard case .earlier(UInt64(number), let offset) = reference else { return nil }
      return offset..<(offset + referencedByteCount)
    }
  }
}

extension SegmentRange: Referring {
  package var place: Range<UInt64> { offset..<end }
  package var references: [Reference] { derivation.references }
  package var referencedByteCount: UInt64 {
    let width = derivation.referenceWidth(elementType)
    return UInt64(width == elementType.width ? byteCount : byteCount / elementType.width * width)
  }
}

/// What the values of a segment follow from.
package enum Derivation: Equatable, Sendable {
  case plain
  /// The same bytes, in the container or a base.
  case copy(Reference)
  /// As many values of another float type, which determine these.
  case cast(Reference, from: ElementType)
  /// The values of a type that these blocks were made of.
  case replay(Reference, from: ElementType)
  /// Ranges of as many values, in the order of the prediction: these differ from what is predicted.
  case delta(Prediction, [Reference])

  package var references: [Reference] {
    switch self {
    case .plain: []
    case .copy(let reference), .cast(let reference, _), .replay(let reference, _): [reference]
    case .delta(_, let references): references
    }
  }

  /// Bytes of a value that is referred to, for values of `elementType`.
  package func referenceWidth(_ elementType: ElementType) -> Int {
    switch self {
    case .plain, .copy: elementType.width
    case .cast(_, let type): type.width
    case .replay(_, let type): elementType.elementsPerValue * type.width
    case .delta(let prediction, _): prediction.referenceWidth(elementType)
    }
  }

  /// Bytes of what a value is coded given, where a segment is planned with all of that; for values of `elementType`.
  package func baseWidth(_ elementType: ElementType) -> Int {
    if case .replay = self { referenceWidth(elementType) } else { elementType.width }
  }

  /// The same for values of `elementType` that lie `byteCount` bytes further on.
  package func advanced(by byteCount: UInt64, _ elementType: ElementType) -> Derivation {
    let ahead = byteCount / UInt64(elementType.width) * UInt64(referenceWidth(elementType))
    return mapped { $0.advanced(by: ahead) }
  }

  /// The same of other references.
  package func mapped(_ transform: (Reference) -> Reference) -> Derivation {
    switch self {
    case .plain: .plain
    case .copy(let reference): .copy(transform(reference))
    case .cast(let reference, let type): .cast(transform(reference), from: type)
    case .replay(let reference, let type): .replay(transform(reference), from: type)
    case .delta(let prediction, let references): .delta(prediction, references.map(transform))
    }
  }
}
