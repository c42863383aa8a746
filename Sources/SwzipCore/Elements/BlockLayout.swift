/// How a block type of ggml is laid out (ggml-common.h): the elements of a block and the fields that tile its bytes, in
/// order. A scale of two bytes is two fields, so that each byte has statistics of its own.
package struct BlockLayout: Equatable, Sendable {
  package let elementCount: Int
  package let fields: [Int]
  package let byteCount: Int

  fileprivate init(_ elementCount: Int, _ fields: [Int]) {
    self.elementCount = elementCount
    self.fields = fields
    byteCount = fields.reduce(0, +)
  }
}

extension ElementType {
  private static let blocks: [ElementType: BlockLayout] = [
    .q4_0: BlockLayout(32, [1, 1, 16]),
    .q4_1: BlockLayout(32, [1, 1, 1, 1, 16]),
    .q5_0: BlockLayout(32, [1, 1, 4, 16]),
    .q5_1: BlockLayout(32, [1, 1, 1, 1, 4, 16]),
    .q8_0: BlockLayout(32, [1, 1, 32]),
    .q8_1: BlockLayout(32, [1, 1, 1, 1, 32]),
    .q2_K: BlockLayout(256, [16, 64, 1, 1, 1, 1]),
    .q3_K: BlockLayout(256, [32, 64, 12, 1, 1]),
    .q4_K: BlockLayout(256, [1, 1, 1, 1, 12, 128]),
    .q5_K: BlockLayout(256, [1, 1, 1, 1, 12, 32, 128]),
    .q6_K: BlockLayout(256, [128, 64, 16, 1, 1]),
    .q8_K: BlockLayout(256, [1, 1, 1, 1, 256, 32]),
    .iq2_xxs: BlockLayout(256, [1, 1, 64]),
    .iq2_xs: BlockLayout(256, [1, 1, 64, 8]),
    .iq3_xxs: BlockLayout(256, [1, 1, 64, 32]),
    .iq1_s: BlockLayout(256, [1, 1, 32, 16]),
    .iq4_nl: BlockLayout(32, [1, 1, 16]),
    .iq3_s: BlockLayout(256, [1, 1, 64, 8, 32, 4]),
    .iq2_s: BlockLayout(256, [1, 1, 64, 8, 8]),
    .iq4_xs: BlockLayout(256, [1, 1, 2, 4, 128]),
    .iq1_m: BlockLayout(256, [32, 16, 8]),
    .tq1_0: BlockLayout(256, [48, 4, 1, 1]),
    .tq2_0: BlockLayout(256, [64, 1, 1]),
    .mxfp4: BlockLayout(32, [1, 16]),
    .nvfp4: BlockLayout(64, [4, 32]),
    .q1_0: BlockLayout(128, [1, 1, 16]),
    .q2_0: BlockLayout(64, [1, 1, 16]),
  ]

  /// Nil for types of one element a value.
  package var block: BlockLayout? { isBlock ? Self.blocks[self] : nil }
}
