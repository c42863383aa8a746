import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import SwzipTestSupport
import Testing

/// What torch says of the tensors in the files of Fixtures/torch (tools/fixtures/torch_files.py).
private struct TorchTensor: Hashable {
  var name: String
  var type: String
  var shape: [UInt64]
  /// The first half of the SHA-256 in hexadecimal.
  var digest: String

  static func all(of file: ModelFile) -> [TorchTensor] {
    Fixtures.lines("torch/EXPECTED", separator: "\t").filter { $0[0] == file.name }.map { fields in
      TorchTensor(
        name: fields[1], type: fields[2], shape: fields[3].split(separator: " ").compactMap { UInt64($0) },
        digest: fields[4])
    }
  }
}

struct TorchTests {
  @Test func fixturesAreWhatTheyWere() {
    for line in Fixtures.lines("torch/MANIFEST", separator: "\t") {
      var sum = SHA256Sum()
      sum.add(Fixtures.bytes("torch/\(line[0])"))
      #expect(Digest(sum.finish()).description == line[2], "\(line[0])")
    }
    #expect(ModelFile.torch.count >= 14)
  }

  @Test(arguments: ModelFile.torch) func tensorsAreThoseOfTorch(file: ModelFile) throws {
    let bytes = file.bytes
    let map = try #require(try Torch.map(SparseBytes(bytes)))
    let found = map.tensors.map { tensor in
      var sum = SHA256Sum()
      sum.add(Array(bytes[Int(tensor.offset)..<Int(tensor.offset + tensor.byteCount)]))
      return TorchTensor(
        name: tensor.name, type: tensor.elementType.name, shape: tensor.shape,
        digest: String(Digest(sum.finish()).description.prefix(16)))
    }
    let expected = TorchTensor.all(of: file)
    #expect(Set(found) == Set(expected))
    #expect(Set(found.map(\.name)).count == found.count)
    #expect(map.warnings.isEmpty)
  }

  /// Large tensors are coded by their type; the rows of a lone matrix are known.
  @Test(arguments: ModelFile.torch) func payloadsHoldLargeTensors(file: ModelFile) throws {
    let map = try #require(try Torch.map(SparseBytes(file.bytes)))
    for tensor in map.tensors where tensor.byteCount >= 4096 {
      let end = tensor.offset + tensor.byteCount
      let payload = try #require(
        map.payloads.first { $0.offset <= tensor.offset && end <= $0.offset + $0.byteCount }, "\(tensor.name)")
      #expect(payload.elementType == tensor.elementType)
      if map.tensors.allSatisfy({ $0 == tensor || $0.offset >= end || $0.offset + $0.byteCount <= tensor.offset }) {
        #expect(payload == Payload(tensor), "\(tensor.name)")
      }
    }
  }

  /// 5 GiB with zip64 fields in local headers, descriptors, the directory and its end.
  @Test func largeFile() throws {
    let parts = Fixtures.bytes("torch/large.parts")
    let file = SparseBytes(parts: parts)
    let map = try #require(try Torch.map(file))
    #expect(map.problem(byteCount: file.byteCount) == nil)
    #expect(map.tensors.map(\.name) == ["before", "large", "after", "empty", "last"])
    #expect(map.payloads == map.tensors.filter { $0.byteCount > 0 }.map(Payload.init))
    #expect(map.payloads[1].byteCount == UInt64(5 << 30))
    #expect(map.payloads[2].offset > UInt64(5 << 30))
    #expect(try Torch.map(SparseBytes(parts: parts, isPipe: true)) == map)
  }
}
