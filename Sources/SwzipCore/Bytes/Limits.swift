/// Hard limits of the format (spec/FORMAT.md, section 9) and what the writer chooses below them.
package enum Limits {
  package static let blockValues = 1 << 18
  package static let smallestBlockValues = 8192
  /// Of codec bytes.
  package static let plainBlockBytes = 1 << 23
  /// The same two for a block type of ggml, in bytes.
  package static let recordBlockBytes = 1 << 18
  package static let smallestRecordBlockBytes = 1 << 15
  package static let frameBytes = (1 << 28) - 16
  /// A block frame is at most its decoded bytes and this.
  package static let blockOverhead = 128
  package static let members = 1 << 20
  package static let tensors = 1 << 20
  package static let tablesPerSegment = 32
  package static let referencesPerSegment = 4
  /// A decode table with what it is made of, and a palette with its values, take less.
  package static let tableBytes = 20 << 10
  /// What one of them is made of takes less.
  package static let wireTableBytes = 4 << 10
  /// Tables, palette and classes of columns of one segment take less; the numbers of codec lattice come on top.
  package static let decoderBytes = 1 << 20
  package static let basesPerMember = 64
  package static let rank = 64
  /// Of a member.
  package static let nameBytes = 4096
  /// Readable bytes that decoders need after a payload.
  package static let slack = 64

  /// Original bytes of the largest segment that the writer makes.
  package static let segmentBytes = 8 << 20
  /// Bases of bases.
  package static let baseDepth = 64
  /// T of codec delta (spec/codecs/delta.md): with a row's class it stays a byte.
  package static let topExponent = 240
  /// Values of the writer's largest block of values of that width: 9/8 of 64 Ki, twice that for bytes.
  package static func writtenBlockValues(width: Int) -> Int { width == 1 ? 147_456 : 73_728 }
  /// The largest block of plain bytes, where matches over more than `blockValues` pay.
  package static let writtenPlainBlockBytes = 2 << 20
  /// The largest of all but these: level 9 saves what blocks cost each.
  package static let largestWrittenBlock = blockValues
}
