package import SwzipCore
internal import SwzipNames

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
    // A complex value is coded as its two parts.
    self.elementType = elementType == .c64 ? .f32 : elementType == .c64BE ? .f32BE : elementType
    self.rowLength = elementType.native == .c64 ? 2 * rowLength : rowLength
  }

  /// All of a tensor; rows are all dimensions but the first.
  package init(_ tensor: TensorRecord) {
    self.init(offset: tensor.offset, byteCount: tensor.byteCount, elementType: tensor.elementType)
    guard !tensor.elementType.isBlock, tensor.shape.count >= 2, let rows = tensor.shape.first, rows > 0 else { return }
    let length = tensor.byteCount / UInt64(elementType.width) / rows
    rowLength = length <= UInt64(Limits.largestWrittenBlock) ? Int(length) : 0
  }
}

extension TensorRecord {
  /// A tensor of which only the place is known, as bytes. What a header claims beyond any file is cut: more than 2^60 bytes no
  /// tensor has here.
  init(bytesOf name: String, at offset: UInt64, _ byteCount: UInt64) {
    let byteCount = min(byteCount, 1 << 60)
    self.init(name: name, elementType: .bytes, shape: [byteCount], offset: offset, byteCount: byteCount)
  }
}

/// What a parser says of a file: everything outside the payloads is skeleton, kept as it is.
package struct FileMap: Equatable, Sendable {
  /// Sorted by offset; they may overlap.
  package var tensors: [TensorRecord] = []
  /// Sorted by offset, disjoint. They may end behind the end of a file that was cut short.
  package var payloads: [Payload] = []
  package var warnings: [String] = []
  /// What the file turned out to be, where that is not the format that was asked.
  package var format: String?
  private static let mostWarnings = 8

  package init() {}

  /// Adds what a part of the file holds that begins at `offset`; `prefix` goes before names.
  mutating func add(_ part: FileMap, at offset: UInt64, prefix: String) {
    for var tensor in part.tensors where tensors.count < Limits.tensors {
      tensor.offset += offset
      tensor.name = "\(prefix)/\(tensor.name)"
      tensors.append(tensor)
    }
    for var payload in part.payloads {
      payload.offset += offset
      payloads.append(payload)
    }
    for warning in part.warnings where warnings.count < Self.mostWarnings {
      warnings.append("\(prefix.printable): \(warning)")
    }
  }

  /// Of an archive from a pipe, whose directory comes last.
  static var ofPipe: FileMap {
    var map = FileMap()
    map.warnings = ["its tensors are not found in a pipe; pack the file itself to gain more"]
    return map
  }

  /// Sorts what was collected. Of payloads that overlap the first stays.
  mutating func sort() {
    tensors.sort { ($0.offset, $0.byteCount, Exact($0.name)) < ($1.offset, $1.byteCount, Exact($1.name)) }
    var end: UInt64 = 0
    payloads.sort { $0.offset < $1.offset }
    payloads = payloads.filter { payload in
      guard payload.offset >= end else { return false }
      end = payload.offset + payload.byteCount
      return true
    }
  }

  /// Warns where a file of a known length goes on after `end`, the last byte that its header tells of.
  mutating func warnOfTail(after end: UInt64, in fileByteCount: UInt64?) {
    guard let fileByteCount, fileByteCount > end else { return }
    warnings.append("\(fileByteCount - end) bytes follow the last tensor")
  }
}

/// A model file format. A parser never refuses a file: what is unusual is no map, or a map without that part.
package protocol ModelFormat: SendableMetatype {
  /// The name for options and reports.
  static var name: String { get }
  /// Whether what `recognises` found is seldom anything else: then a file without a map is worth a warning.
  static func isCertain(_ start: [UInt8]) -> Bool
  /// Whether a file that begins with `start` (`Formats.sniffBytes`, or all of a shorter file) may be of this format.
  static func recognises(_ start: [UInt8]) -> Bool
  /// Finds the payloads; nil if the file is damaged or unusual and packs as plain bytes.
  static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap?
}

extension ModelFormat {
  package static func isCertain(_ start: [UInt8]) -> Bool { true }
}

/// The sniff table: the first format that recognises a file is asked for its map. The length that begins a safetensors file
/// may look like the magic number of anything else; nothing else looks like it.
package enum Formats {
  /// Enough for the name of the first entry of an archive.
  package static let sniffBytes = 512
  package static var all: [any ModelFormat.Type] {
    [Safetensors.self, GGUF.self, NPY.self, NPZ.self, Torch.self, Tar.self, ONNX.self]
  }
}
