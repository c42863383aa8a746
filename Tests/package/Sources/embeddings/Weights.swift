import Foundation
import Swzip

/// Numbers of one row, eight at a time: all widths of the model are multiples of eight.
typealias Vector = [SIMD8<Float>]
typealias Matrix = [Vector]

/// Where the model's tensors come from, of 32-bit floats all of them.
protocol Weights {
  /// A tensor by its name, or some of its rows.
  func matrix(_ name: String, rows: Range<Int>?) throws -> Matrix
}

extension Weights {
  func matrix(_ name: String) throws -> Matrix { try matrix(name, rows: nil) }
  func vector(_ name: String) throws -> Vector { try matrix(name)[0] }
}

struct NoSuchTensor: Error { let name: String }

/// A packed file knows its tensors, and reads and verifies the blocks that hold what is asked for.
extension Container: Weights {
  func matrix(_ name: String, rows: Range<Int>?) throws -> Matrix {
    guard let tensor = tensors[name], tensor.elementType == "F32" else { throw NoSuchTensor(name: name) }
    return try Matrix(shape: tensor.shape.map(Int.init), rows) { try read(tensor, rows: rows, into: $0) }
  }
}

/// A plain safetensors file: the length of a header in JSON, that header, then the tensors.
struct PlainFile: Weights {
  /// Of a tensor; __metadata__ has neither.
  private struct Entry: Decodable {
    enum CodingKeys: String, CodingKey {
      case shape
      case offsets = "data_offsets"
    }
    let shape: [Int]?
    let offsets: [UInt64]?
  }

  private let source: FileSource
  private let start: UInt64
  private let entries: [String: Entry]

  init(path: String) throws {
    let source = try FileSource(path: path)
    var length: UInt64 = 0
    _ = try withUnsafeMutableBytes(of: &length) { try source.read(at: 0, into: $0) }
    var header = [UInt8](repeating: 0, count: Int(length))
    _ = try header.withUnsafeMutableBytes { try source.read(at: 8, into: $0) }
    self.source = source
    start = 8 + length
    entries = try JSONDecoder().decode([String: Entry].self, from: Data(header))
  }

  func matrix(_ name: String, rows: Range<Int>?) throws -> Matrix {
    guard let entry = entries[name], let shape = entry.shape, let offsets = entry.offsets else {
      throw NoSuchTensor(name: name)
    }
    let skipped = (rows?.lowerBound ?? 0) * shape.dropFirst().reduce(4, *)
    return try Matrix(shape: shape, rows) { _ = try source.read(at: start + offsets[0] + UInt64(skipped), into: $0) }
  }
}

extension Matrix {
  /// The rows of a tensor of one or two dimensions, or some of them: `read` fills their bytes.
  init(shape: [Int], _ rows: Range<Int>?, _ read: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let width = shape.last! / 8
    let count = shape.count == 1 ? 1 : rows?.count ?? shape[0]
    var values = Vector(repeating: .zero, count: count * width)
    try values.withUnsafeMutableBytes(read)
    self = (0..<count).map { Vector(values[($0 * width)..<(($0 + 1) * width)]) }
  }
}
