// Uses the library's interface from outside, with nothing but `import Swzip`.  stranger FOLDER
import Swzip

let folder = CommandLine.arguments[1]

func require(_ condition: Bool, _ what: String) {
  guard !condition else { return }
  print("WRONG: \(what)")
  fatalError(what)
}

/// A sink that keeps what it gets.
final class Kept: OutputSink, @unchecked Sendable {
  private(set) var bytes: [UInt8] = []
  func write(_ more: UnsafeRawBufferPointer) throws(SwzipError) { bytes += more }
  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    buffer.copyBytes(from: bytes[Int(position)..<(Int(position) + buffer.count)])
  }
}

/// A safetensors file of a bf16 tensor of 512 rows of 256 values, and of four F32 values.
func model(step: Int) -> [UInt8] {
  let header =
    #"{"weight":{"dtype":"BF16","shape":[512,256],"data_offsets":[0,262144]},"#
    + #""bias":{"dtype":"F32","shape":[4],"data_offsets":[262144,262160]}}"#
  var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { [UInt8]($0) }
  bytes += header.utf8
  for index in 0..<131_072 {
    let low = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 7)
    bytes += [index % 97 == 0 ? low &+ UInt8(step) : low, 0x3C]
  }
  return bytes + [UInt8](repeating: 1, count: 16)
}

// Memory, and pieces.
let (first, second) = (model(step: 0), model(step: 3))
let kept = Kept()
_ = try first.withUnsafeBytes { try pack(from: MemorySource($0), to: kept, options: PackOptions()) }
require(try unpackedByPieces(kept.bytes) == first, "pieces")
require(try packBytes(first) == kept.bytes, "packing an array")

func unpackedByPieces(_ container: [UInt8]) throws -> [UInt8] {
  let kept = Kept()
  let decoder = try ContainerDecoder(to: kept)
  for start in stride(from: 0, to: container.count, by: 1000) {
    try container[start..<min(start + 1000, container.count)].withUnsafeBytes { try decoder.push($0) }
  }
  let report = try decoder.finish()
  require(report.rawByteCount == UInt64(kept.bytes.count), "report")
  return kept.bytes
}

// Files, and tensors of a container.
let names = (plain: folder + "/a.safetensors", packed: folder + "/a.swz", back: folder + "/a.back")
let report = try pack(path: names.plain, to: names.packed)
require(report.format == "safetensors" && report.tensorCount == 2, "packing a file")
let container = try Container(path: names.packed)
require(container.tensors.count == 2 && container.tensors[0].name == "weight", "tensors")
guard let weight = container.tensors["weight"] else { fatalError("no weight") }
require(container.tensors["none"] == nil, "a tensor that is not there")
let whole = try container.bytes(ofMember: 0)
let data = Array(whole[Int(weight.offset)..<Int(weight.offset + weight.byteCount)])
require(try container.bytes(of: weight) == data, "a tensor")
require(try container.bytes(of: weight, rows: 17..<20) == Array(data[(17 * 512)..<(20 * 512)]), "rows")
var room = [UInt8](repeating: 0, count: 512)
try room.withUnsafeMutableBytes { try container.read(weight, rows: 511..<512, into: $0) }
require(room == Array(data.suffix(512)), "the last row")
_ = try unpack(path: names.packed, to: names.back)
require(try FileSource(path: names.back).byteCount == UInt64(whole.count), "unpacking a file")

// Other ways to open it: memory, a function that reads.
let packedFile = try FileSource(path: names.packed)
var image = [UInt8](repeating: 0, count: Int(packedFile.byteCount))
_ = try image.withUnsafeMutableBytes { try packedFile.read(at: 0, into: $0) }
let bytes = image
let opened = [
  try Container(bytes: bytes),
  try Container(byteCount: UInt64(bytes.count)) { position, buffer in
    let part = bytes[Int(position)...].prefix(buffer.count)
    buffer.copyBytes(from: part)
    return part.count
  },
]
for container in opened { require(try container.bytes(of: weight) == data, "opened another way") }

// All tensors in order, in little memory and in much.
for bufferByteCount in [0, 1 << 20] {
  var names: [String] = []
  try container.forEachTensor(bufferByteCount: bufferByteCount) { tensor, bytes in
    names.append(tensor.name)
    require(bytes.elementsEqual(whole[Int(tensor.offset)...].prefix(bytes.count)), "a tensor in order")
  }
  require(names == ["weight", "bias"], "their order")
}

// Tensors in memory.
let tensors = [
  PackTensor(name: "weight", elementType: .bf16, shape: [512, 256], values: data),
  PackTensor(name: "bias", elementType: .f32, shape: [4], values: [1, 2, 3, 4] as [Float]),
]
_ = try pack(tensors: tensors, metadata: ["format": "pt"], to: folder + "/b.swz")
let made = try Container(path: folder + "/b.swz")
require(try made.tensors.count == 2 && made.bytes(of: made.tensors["weight"]!) == data, "tensors that were in memory")
_ = try unpack(path: folder + "/b.swz", to: folder + "/b.safetensors")
do throws(SwzipError) {
  _ = try SafetensorsSource([PackTensor(name: "x", elementType: .f32, shape: [3], values: [1, 2] as [Float])])
  require(false, "a tensor of too few values")
} catch { require(error.code == 64 && error.rule == .argument, "the error of too few values") }

// Errors say what, where, in which file.
do throws(SwzipError) {
  _ = try container.bytes(of: weight, rows: 500..<513)
  require(false, "rows that are not there")
} catch { require(error.code == 64 && error.rule == .range, "the error of rows") }
do throws(SwzipError) {
  _ = try Container(path: names.plain)
  require(false, "no container")
} catch {
  require(error.code == 3 && error.rule == .notAContainer && error.file == names.plain, "the error of no container")
  require(error.position == 0 && !error.text.isEmpty, "its place")
}

// Snapshots.
let (sender, receiver) = try (first.withUnsafeBytes { try Snapshot($0) }, first.withUnsafeBytes { try Snapshot($0) })
let step = try second.withUnsafeBytes { try sender.encode($0, options: PackOptions()) }
require(step.count < second.count / 10, "a step is small")
try step.withUnsafeBytes { try receiver.apply($0) }
receiver.withBytes { require($0.elementsEqual(second), "a step") }
require(sender.sha256 == receiver.sha256, "digests")
print("ok")
