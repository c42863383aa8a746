// Opening a container and reading tensors, rows and files.
// snippet.hide
import Swzip

func readTensors() throws {
  // snippet.show
  let container = try Container(path: "model.safetensors.swz")
  for tensor in container.tensors { print(tensor.name, tensor.elementType, tensor.shape) }

  if let weight = container.tensors["lm_head.weight"] {
    let all = try container.bytes(of: weight, threads: 4)
    let rows = try container.bytes(of: weight, rows: 0..<64)
    print(all.count, rows.count)
  }

  // All tensors in order, with a buffer of 64 MiB or one that the largest tensor needs.
  try container.forEachTensor(threads: 4) { tensor, bytes in print(tensor.name, bytes.count) }

  // Any range of the original file.
  var header = [UInt8](repeating: 0, count: 8)
  try header.withUnsafeMutableBytes { try container.read(member: 0, offset: 0, into: $0) }
  // snippet.hide
}
