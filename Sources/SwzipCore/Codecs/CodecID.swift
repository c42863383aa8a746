/// A codec's number in segment frames and directories (spec/FORMAT.md, section 4.2); named in the codec's folder.
package struct CodecID: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package var isKnown: Bool { CodecRegistry.standard[self] != nil }
  package var name: String { CodecRegistry.standard[self]?.name ?? "codec \(rawValue)" }
}

/// The mode of a block (spec/FORMAT.md, section 4.3); named in the folder of the codec that has it.
package struct BlockMode: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package var isKnown: Bool { CodecRegistry.standard.modes.contains(self) }

  // Of several codecs.
  package static let huffman = BlockMode(rawValue: 4)
  package static let rans = BlockMode(rawValue: 8)
  package static let nodes = BlockMode(rawValue: 12)
}
