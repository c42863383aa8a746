import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import SwzipTestSupport
import Testing

/// Files that torch wrote (tools/fixtures/torch_files.py), with what torch says of their tensors.
struct TorchFixture: Sendable, CustomTestStringConvertible {
  struct Tensor: Hashable, Sendable {
    var name: String
    var type: String
    var shape: [UInt64]
    /// The first half of the SHA-256 in hexadecimal.
    var digest: String
  }

  let name: String
  var testDescription: String { name }

  private static let folder: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/Fixtures/torch/"
  }()

  static func bytes(_ name: String) -> [UInt8] { TestFolder.read(folder + name) ?? [] }
  static func lines(_ name: String) -> [[String]] {
    String(decoding: bytes(name), as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }

  static let all = lines("MANIFEST").map { TorchFixture(name: $0[0]) }.filter { $0.name != "large.parts" }

  var bytes: [UInt8] { Self.bytes(name) }

  var tensors: [Tensor] {
    Self.lines("EXPECTED").filter { $0[0] == name }.map { fields in
      Tensor(
        name: fields[1], type: fields[2], shape: fields[3].split(separator: " ").compactMap { UInt64($0) },
        digest: fields[4])
    }
  }

  /// From a pipe the storages of these are not found: the pickle, or that of a later item, comes behind them.
  var needsItsEnd: Bool { name == "script.pt" || name == "dcp.distcp" }
}

/// What holds for the map of any input, good or bad.
func expectSound(_ map: FileMap?, byteCount: UInt64?, _ comment: Comment) {
  guard let map else { return }
  var end: UInt64 = 0
  for payload in map.payloads {
    #expect(payload.offset >= end && payload.byteCount > 0, comment)
    #expect(payload.byteCount % UInt64(payload.elementType.width) == 0, comment)
    end = payload.offset + payload.byteCount
  }
  #expect(end <= UInt64(Int64.max), comment)
  #expect(map.tensors.count <= Limits.tensors)
  #expect(Set(map.tensors.map(\.name)).count == map.tensors.count, comment)
  for tensor in map.tensors {
    #expect(TensorRecord.byteCount(of: tensor.elementType, shape: tensor.shape) == tensor.byteCount, comment)
    #expect(tensor.offset + tensor.byteCount <= UInt64(Int64.max), comment)
  }
  var cursor: UInt64 = 0
  for segment in Planner.layout(of: map, format: "torch", fileByteCount: byteCount ?? end).segments {
    #expect(segment.offset == cursor && segment.byteCount > 0, comment)
    cursor += UInt64(segment.byteCount)
  }
  #expect(cursor == byteCount ?? end, comment)
}

struct TorchTests {
  @Test func fixturesAreWhatTheyWere() {
    for line in TorchFixture.lines("MANIFEST") {
      var sum = SHA256Sum()
      sum.add(TorchFixture.bytes(line[0]))
      #expect(swzipHexadecimal(sum.finish()) == line[2], "\(line[0])")
    }
    #expect(TorchFixture.all.count >= 14)
  }

  @Test(arguments: TorchFixture.all) func tensorsAreThoseOfTorch(fixture: TorchFixture) throws {
    let bytes = fixture.bytes
    let map = try #require(try Torch.map(SparseBytes(bytes)))
    expectSound(map, byteCount: UInt64(bytes.count), "\(fixture.name)")
    let found = map.tensors.map { tensor in
      var sum = SHA256Sum()
      sum.add(Array(bytes[Int(tensor.offset)..<Int(tensor.offset + tensor.byteCount)]))
      return TorchFixture.Tensor(
        name: tensor.name, type: tensor.elementType.name, shape: tensor.shape,
        digest: String(swzipHexadecimal(sum.finish()).prefix(16)))
    }
    #expect(Set(found) == Set(fixture.tensors))
    #expect(map.warnings.isEmpty)
  }

  /// Large tensors are coded by their type; the rows of a lone matrix are known.
  @Test(arguments: TorchFixture.all) func payloadsHoldLargeTensors(fixture: TorchFixture) throws {
    let map = try #require(try Torch.map(SparseBytes(fixture.bytes)))
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

  @Test(arguments: TorchFixture.all) func pipesGiveTheSame(fixture: TorchFixture) throws {
    let bytes = fixture.bytes
    let piped = try Torch.map(SparseBytes(bytes, isPipe: true))
    if fixture.needsItsEnd {
      expectSound(piped, byteCount: nil, "\(fixture.name)")
    } else {
      #expect(try Torch.map(SparseBytes(bytes)) == piped)
    }
  }

  /// 5 GiB with zip64 fields in local headers, descriptors, the directory and its end.
  @Test func largeFile() throws {
    let parts = TorchFixture.bytes("large.parts")
    let file = SparseBytes(parts: parts)
    let map = try #require(try Torch.map(file))
    expectSound(map, byteCount: file.byteCount, "large")
    #expect(map.tensors.map(\.name) == ["before", "large", "after", "empty", "last"])
    #expect(map.payloads == map.tensors.filter { $0.byteCount > 0 }.map(Payload.init))
    #expect(map.payloads[1].byteCount == UInt64(5 << 30))
    #expect(map.payloads[2].offset > UInt64(5 << 30))
    #expect(try Torch.map(SparseBytes(parts: parts, isPipe: true)) == map)
  }

  @Test(arguments: TorchFixture.all) func comesBack(fixture: TorchFixture) throws {
    let bytes = fixture.bytes
    for isPipe in [false, true] {
      let (container, report) = try packed(from: ArraySource(bytes, isPipe: isPipe), options(level: 3, threads: 2))
      #expect(same(try unpackedForward(container, isPipe: isPipe), bytes))
      #expect(same(try unpacked(container, capacity: bytes.count), bytes))
      guard !isPipe || !fixture.needsItsEnd else { continue }
      #expect(report.format == "torch")
      #expect(report.warnings.isEmpty)
      #expect(report.tensorCount == fixture.tensors.count)
    }
  }

  /// Truncations, of small files all, are understood or not, and never trap; some travel there and back.
  @Test(arguments: TorchFixture.all) func truncated(fixture: TorchFixture) throws {
    let bytes = fixture.bytes
    let step = bytes.count < 2600 ? 1 : bytes.count / 300
    for end in stride(from: 0, to: bytes.count, by: step) {
      let cut = Array(bytes[..<end])
      for isPipe in [false, true] {
        let map = Torch.recognises(cut) ? try Torch.map(SparseBytes(cut, isPipe: isPipe)) : nil
        expectSound(map, byteCount: isPipe ? nil : UInt64(end), "cut at \(end), pipe \(isPipe)")
      }
      guard end / step % 100 == 0 else { continue }
      try expectRoundTrip(cut, "cut at \(end)")
    }
  }

  @Test(arguments: TorchFixture.all) func edited(fixture: TorchFixture) throws {
    let bytes = fixture.bytes
    var random = Random(UInt64(bytes.count))
    for round in 0..<200 {
      var edited = bytes
      for _ in 0...random.below(3) {
        let place = random.below(3) == 0 ? random.below(bytes.count) : max(0, bytes.count - 1 - random.below(600))
        edited[place] = random.below(2) == 0 ? UInt8(random.below(256)) : edited[place] ^ 1 << UInt8(random.below(8))
      }
      for isPipe in [false, true] {
        let map = try Torch.map(SparseBytes(edited, isPipe: isPipe))
        expectSound(map, byteCount: isPipe ? nil : UInt64(edited.count), "\(round), pipe \(isPipe)")
      }
      if round % 40 == 0 { try expectRoundTrip(edited, "round \(round)") }
    }
  }

  private func expectRoundTrip(_ bytes: [UInt8], _ comment: Comment) throws {
    for isPipe in [false, true] {
      let (container, _) = try packed(from: ArraySource(bytes, isPipe: isPipe), options(level: 1))
      #expect(same(try unpackedForward(container), bytes), comment)
    }
  }
}
