/// How a block type of ggml is laid out (ggml-common.h): the elements of a block and the fields that tile its bytes, in
/// order. A scale of two bytes is two fields, so that each byte has statistics of its own.
package struct BlockLayout: Equatable, Sendable {
  package let name: String
  package let elementCount: Int
  package let fields: [Int]
  package let byteCount: Int
  /// The field that is the low byte of the values' scale, a float of two bytes; the next one is the high byte.
  package let scale: Int?
  /// The same of the minimum that goes with the scale.
  package let minimum: Int?

  fileprivate init(
    _ name: String, _ elementCount: Int, _ fields: [Int], scale: Int? = nil, minimum: Int? = nil
  ) {
    self.name = name
    self.elementCount = elementCount
    self.fields = fields
    byteCount = fields.reduce(0, +)
    self.scale = scale
    self.minimum = minimum
  }

  /// Fields of one byte, and the others: the order of the sections.
  package var shortFields: [Int] { fields.indices.filter { fields[$0] == 1 } }
  package var longFields: [Int] { fields.indices.filter { fields[$0] > 1 } }
  package var sizes: [UInt32] { fields.map { UInt32($0) } }
}

extension ElementType {
  private static let blocks: [ElementType: BlockLayout] = [
    .q40: BlockLayout("Q4_0", 32, [1, 1, 16], scale: 0),
    .q41: BlockLayout("Q4_1", 32, [1, 1, 1, 1, 16], scale: 0, minimum: 2),
    .q50: BlockLayout("Q5_0", 32, [1, 1, 4, 16], scale: 0),
    .q51: BlockLayout("Q5_1", 32, [1, 1, 1, 1, 4, 16], scale: 0, minimum: 2),
    .q80: BlockLayout("Q8_0", 32, [1, 1, 32], scale: 0),
    .q81: BlockLayout("Q8_1", 32, [1, 1, 1, 1, 32], scale: 0),
    .q2K: BlockLayout("Q2_K", 256, [16, 64, 1, 1, 1, 1], scale: 2, minimum: 4),
    .q3K: BlockLayout("Q3_K", 256, [32, 64, 12, 1, 1], scale: 3),
    .q4K: BlockLayout("Q4_K", 256, [1, 1, 1, 1, 12, 128], scale: 0, minimum: 2),
    .q5K: BlockLayout("Q5_K", 256, [1, 1, 1, 1, 12, 32, 128], scale: 0, minimum: 2),
    .q6K: BlockLayout("Q6_K", 256, [128, 64, 16, 1, 1], scale: 3),
    .q8K: BlockLayout("Q8_K", 256, [1, 1, 1, 1, 256, 32]),
    .iq2XXS: BlockLayout("IQ2_XXS", 256, [1, 1, 64], scale: 0),
    .iq2XS: BlockLayout("IQ2_XS", 256, [1, 1, 64, 8], scale: 0),
    .iq3XXS: BlockLayout("IQ3_XXS", 256, [1, 1, 64, 32], scale: 0),
    .iq1S: BlockLayout("IQ1_S", 256, [1, 1, 32, 16], scale: 0),
    .iq4NL: BlockLayout("IQ4_NL", 32, [1, 1, 16], scale: 0),
    .iq3S: BlockLayout("IQ3_S", 256, [1, 1, 64, 8, 32, 4], scale: 0),
    .iq2S: BlockLayout("IQ2_S", 256, [1, 1, 64, 8, 8], scale: 0),
    .iq4XS: BlockLayout("IQ4_XS", 256, [1, 1, 2, 4, 128], scale: 0),
    .iq1M: BlockLayout("IQ1_M", 256, [32, 16, 8]),
    .tq10: BlockLayout("TQ1_0", 256, [48, 4, 1, 1], scale: 2),
    .tq20: BlockLayout("TQ2_0", 256, [64, 1, 1], scale: 1),
    .mxfp4: BlockLayout("MXFP4", 32, [1, 16]),
    .nvfp4: BlockLayout("NVFP4", 64, [4, 32]),
    .q10: BlockLayout("Q1_0", 128, [1, 1, 16], scale: 0),
    .q20: BlockLayout("Q2_0", 64, [1, 1, 16], scale: 0),
  ]

  /// Nil for types of one element a value.
  package var block: BlockLayout? { isBlock ? Self.blocks[self] : nil }
}
