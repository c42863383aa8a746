// Reads all tensors of a container one by one, and the bytes from the first to the last in one go, in turns: the seconds
// of each.  access CONTAINER ROUNDS
import Swzip
import SwzipCore

/// Seconds that `read` takes of a container that has just been opened: it remembers nothing yet.
func seconds(_ path: String, _ read: (Container) throws -> Void) throws -> Double {
  let file = try Container(FileSource(path: path))
  return try ContinuousClock().measure { try read(file) } / .seconds(1)
}

@main
enum Access {
  static func main() throws {
    let (path, rounds) = (CommandLine.arguments[1], Int(CommandLine.arguments[2])!)
    let tensors = try Container(FileSource(path: path)).tensors.sorted { $0.offset < $1.offset }
    let start = tensors[0].offset
    let count = tensors.map { Int($0.offset + $0.byteCount - start) }.max()!
    var (apart, whole) = ([UInt8](repeating: 0, count: count), [UInt8](repeating: 0, count: count))
    for _ in 0..<rounds {
      let one = try seconds(path) { file in
        try apart.withUnsafeMutableBytes { bytes in
          for tensor in tensors {
            let place = Int(tensor.offset - start)
            try file.read(
              member: 0, offset: tensor.offset, into: .init(rebasing: bytes[place..<(place + Int(tensor.byteCount))]))
          }
        }
      }
      let all = try seconds(path) { file in
        try whole.withUnsafeMutableBytes { try file.read(member: 0, offset: start, into: $0) }
      }
      print(one, all)
    }
    // What lies between tensors is in one of them only.
    for tensor in tensors {
      let part = Int(tensor.offset - start)..<Int(tensor.offset + tensor.byteCount - start)
      precondition(apart[part].elementsEqual(whole[part]), "\(tensor.name) differs")
    }
  }
}
