/// Makes GGUF files.
package struct GGUFFile {
  package struct Tensor {
    package var name: String
    /// The fastest first.
    package var dimensions: [UInt64]
    /// ggml's id.
    package var type: UInt32
    package var data: [UInt8]
  }

  package var version: UInt32 = 3
  package private(set) var pairs: [UInt8] = []
  private var pairCount: UInt64 = 0
  private var tensors: [Tensor] = []

  package init() {}

  /// Adds a key, with a value of a type as it is written.
  package mutating func add(key: String, type: UInt32, _ value: [UInt8]) {
    pairs += Self.text(key) + Self.number(type) + value
    pairCount += 1
  }

  package mutating func add(_ name: String, _ dimensions: [UInt64], type: UInt32, _ data: [UInt8]) {
    tensors.append(Tensor(name: name, dimensions: dimensions, type: type, data: data))
  }

  package var bytes: [UInt8] {
    var bytes = Array("GGUF".utf8) + Self.number(version) + Self.number(UInt64(tensors.count)) + Self.number(pairCount)
    bytes += pairs
    var data: [UInt8] = []
    for tensor in tensors {
      bytes += Self.text(tensor.name) + Self.number(UInt32(tensor.dimensions.count))
      bytes += tensor.dimensions.flatMap(Self.number) + Self.number(tensor.type) + Self.number(UInt64(data.count))
      data += tensor.data
      data += [UInt8](repeating: 0, count: -data.count & 31)
    }
    return bytes + [UInt8](repeating: 0, count: -bytes.count & 31) + data
  }

  package static func text(_ text: String) -> [UInt8] { number(UInt64(text.utf8.count)) + Array(text.utf8) }

  package static func number(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<(value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
