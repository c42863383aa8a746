package import SwzipCore

/// What a parser may read of a file before it is packed. What it finds is a function of these bytes alone.
package protocol InputBytes {
  /// Nil where only reading on will tell (a pipe).
  var byteCount: UInt64? { get }
  /// The first bytes: `count`, or all if there are fewer. A pipe keeps them, so ask for what a header announces, not more.
  func peek(_ count: Int) throws(SwzipError) -> [UInt8]
  /// Bytes at an offset, fewer at the end. Needs `byteCount`.
  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8]
}

/// A range of a file that holds values of one type.
package struct Payload: Equatable, Sendable {
  package var offset: UInt64
  package var byteCount: UInt64
  package var elementType: ElementType
  /// Values a row of the tensor as a matrix, 0 where that is not known.
  package var rowLength: Int

  package init(offset: UInt64, byteCount: UInt64, elementType: ElementType, rowLength: Int = 0) {
    self.offset = offset
    self.byteCount = byteCount
    self.elementType = elementType
    self.rowLength = rowLength
  }

  /// All of a tensor; rows are all dimensions but the first.
  package init(_ tensor: TensorRecord) {
    self.init(offset: tensor.offset, byteCount: tensor.byteCount, elementType: tensor.elementType)
    guard !tensor.elementType.isBlock, tensor.shape.count >= 2, let rows = tensor.shape.first, rows > 0 else { return }
    let length = tensor.byteCount / UInt64(tensor.elementType.width) / rows
    rowLength = length <= UInt64(Limits.largestWrittenBlock) ? Int(length) : 0
  }
}

/// What a parser says of a file: everything outside the payloads is skeleton, kept as it is.
package struct FileMap: Equatable, Sendable {
  /// Sorted by offset; they may overlap.
  package var tensors: [TensorRecord] = []
  /// Sorted by offset, disjoint. They may end behind the end of a file that was cut short.
  package var payloads: [Payload] = []
  package var warnings: [String] = []

  package init() {}

  /// Warns where a file of a known length goes on after `end`, the last byte that its header tells of.
  mutating func warnOfTail(after end: UInt64, in fileByteCount: UInt64?) {
    guard let fileByteCount, fileByteCount > end else { return }
    warnings.append("\(fileByteCount - end) bytes follow the last tensor")
  }
}

/// A model file format. A parser never refuses a file: what is unusual is no map, or a map without that part.
package protocol ModelFormat: SendableMetatype {
  /// The name for `--format` and reports.
  static var name: String { get }
  /// Whether what `recognises` looks at is seldom anything else: then a file without a map is worth a warning.
  static var isCertain: Bool { get }
  /// Whether a file that begins with `start` (`Formats.sniffBytes`, or all of a shorter file) may be of this format.
  static func recognises(_ start: [UInt8]) -> Bool
  /// Finds the payloads; nil if the file is damaged or unusual and packs as plain bytes.
  static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap?
}

extension ModelFormat {
  package static var isCertain: Bool { true }
}

/// The sniff table: the first format that recognises a file is asked for its map.
package enum Formats {
  /// Enough for the name of the first entry of an archive.
  package static let sniffBytes = 512
  package static var all: [any ModelFormat.Type] {
    [GGUF.self, NPY.self, NPZ.self, Torch.self, Safetensors.self, ONNX.self]
  }
}
