public import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// A tensor that becomes one of a safetensors file.
public struct PackTensor: Sendable {
  public var name: String
  /// One of `ElementType.safetensors`.
  public var elementType: ElementType
  /// The slowest dimension first; empty for a scalar.
  public var shape: [Int]
  /// Its values, little-endian, row after row.
  public var source: any RandomSource

  /// `source`: memory of somebody else (`MemorySource`), a file, anything that is read at any position.
  public init(name: String, elementType: ElementType, shape: [Int], source: any RandomSource) {
    (self.name, self.elementType, self.shape, self.source) = (name, elementType, shape, source)
  }

  /// `values`: numbers as the type stores them, or their bytes. The array is kept, not copied.
  public init<Value: BitwiseCopyable & Sendable>(
    name: String, elementType: ElementType, shape: [Int], values: [Value]
  ) {
    self.init(name: name, elementType: elementType, shape: shape, source: BytesSource(values))
  }
}

/// The safetensors file of some tensors, without a copy of them: byte for byte what safetensors itself would write, types that are
/// aligned most first and then by name, and `metadata` in the order of its names.
public final class SafetensorsSource: RandomSource {
  private let file: JoinedSource

  /// Throws `argument` for a tensor whose bytes are not those of its type and shape, a type or a name that safetensors does not
  /// know, a name twice, and for a header of more than 100 MB, which nobody would read.
  public init(_ tensors: [PackTensor], metadata: [String: String] = [:]) throws(SwzipError) {
    let placed = try tensors.map { tensor throws(SwzipError) in (place: try tensor.place, tensor: tensor) }
    let sorted = placed.sorted { ($0.place, Exact($0.tensor.name)) < ($1.place, Exact($1.tensor.name)) }.map(\.tensor)
    var names: Set<Exact> = ["__metadata__"]
    var records: [TensorRecord] = []
    var end: UInt64 = 0
    for tensor in sorted {
      guard names.insert(Exact(tensor.name)).inserted else { throw tensor.failure("the name is taken") }
      let record = try tensor.record(at: end)
      records.append(record)
      end = record.offset + record.byteCount
    }
    let header = SafetensorsHeader.bytes(of: records, metadata: metadata)
    guard header.count - 8 <= SafetensorsHeader.mostBytes else {
      throw SwzipError(.invalidArgument, .argument, detail: "a header of \(header.count - 8) bytes")
    }
    let sources: [any RandomSource] = [BytesSource(header)] + sorted.map(\.source)
    file = JoinedSource(
      sources.map { source in PackMember(name: "") { () throws(SwzipError) in source } }, sources.map(\.byteCount))
  }

  public var byteCount: UInt64 { file.byteCount }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on.
    try unsafe file.read(at: position, into: buffer)
  }
}

extension PackTensor {
  /// Where tensors of its type lie in a file.
  fileprivate var place: Int {
    get throws(SwzipError) {
      guard let place = SafetensorsHeader.fileOrder.firstIndex(of: elementType) else {
        throw failure("safetensors has no type \(elementType.name)")
      }
      return place
    }
  }

  /// What the header says of it.
  fileprivate func record(at offset: UInt64) throws(SwzipError) -> TensorRecord {
    let dimensions = shape.map { UInt64(bitPattern: Int64($0)) }
    guard let byteCount = TensorRecord.byteCount(of: elementType, shape: dimensions) else {
      throw failure("\(elementType.name) of shape \(shape) is no whole number of bytes")
    }
    guard source.byteCount == byteCount else {
      throw failure("it has \(source.byteCount) bytes, and \(elementType.name) of shape \(shape) takes \(byteCount)")
    }
    return TensorRecord(name: name, elementType: elementType, shape: dimensions, offset: offset, byteCount: byteCount)
  }

  fileprivate func failure(_ why: String) -> SwzipError {
    SwzipError(.invalidArgument, .argument, detail: "tensor '\(name)': \(why)")
  }
}
