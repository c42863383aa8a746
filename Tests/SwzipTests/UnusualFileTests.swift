import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Sound files that are not as the usual writers make them keep their map; what is odd in one costs its own alone.
struct UnusualFileTests {
  @Test(arguments: UnusualFile.all) func tensorsAreFound(file: UnusualFile) throws {
    let (container, report) = try packed(from: ArraySource(file.bytes), options(threads: 2))
    #expect(same(try unpackedForward(container), file.bytes))
    #expect(report.format == file.called)
    #expect(report.warnings.count == (file.warns == nil ? 0 : 1), "\(report.warnings)")
    #expect(report.warnings.allSatisfy { $0.contains(file.warns ?? "") }, "\(report.warnings)")
    let packed = try Container(ArraySource(container))
    #expect(packed.tensors.map(Self.text) == file.tensors)
    #expect(packed.segments.contains { $0.elementType != "BYTES" } == file.isMapped)
  }

  private static func text(_ tensor: Container.Tensor) -> String {
    "\(tensor.name) \(tensor.elementType) \(tensor.shape.map(String.init).joined(separator: "x"))"
  }

  @Test(arguments: UnusualFile.all) func segmentsTile(file: UnusualFile) throws {
    var damaged = Damaged(file.bytes, cuts: 20, edits: 50)
    while let bytes = damaged.next() {
      let start = Array(bytes.prefix(Formats.sniffBytes))
      for isPipe in [false, true] {
        for candidate in Formats.all where candidate == file.format || candidate.recognises(start) {
          let map = try candidate.map(SparseBytes(bytes, isPipe: isPipe))
          #expect(map?.problem(byteCount: isPipe ? nil : UInt64(bytes.count)) == nil, "\(damaged.what)")
        }
      }
    }
  }

  /// A pipe shows no directory that comes last: no file is called damaged for that.
  @Test(arguments: UnusualFile.all) func pipesComeBack(file: UnusualFile) throws {
    let (container, report) = try packed(from: PipeSource(file.bytes), options(level: 1))
    #expect(same(try unpackedForward(container), file.bytes))
    #expect(report.warnings.allSatisfy { !$0.contains("damaged") }, "\(report.warnings)")
  }

  /// A header whose length is the magic number of gzip.
  @Test func safetensorsAreNothingElse() throws {
    let header = #"{"w":{"dtype":"F32","shape":[64,96],"data_offsets":[0,24576]}}"#
    let padding = String(repeating: " ", count: 0x08_8B1F - header.utf8.count)
    let file = SafetensorsFile.file(header + padding, UnusualFile.values)
    #expect(file.starts(with: [0x1F, 0x8B, 8]))
    let (container, report) = try packed(from: ArraySource(file), options())
    #expect(report.format == "safetensors" && report.warnings.isEmpty)
    #expect(same(try unpackedForward(container), file))
  }

  /// A tensor of which only the place is known is no longer than a tensor may be, whatever a header claims.
  @Test(arguments: [1 << 60, 1 << 61, 1 << 62 - 1]) func placesBeyondAnyFile(end: Int) throws {
    let header = #"{"w":{"dtype":"NEW","shape":[1],"data_offsets":[0,\#(end)]}}"#
    let input = SparseBytes(SafetensorsFile.file(header, []), isPipe: true)
    #expect(try Safetensors.map(input).map { $0.problem(byteCount: nil) } == .some(nil))
  }

  /// Values that no header tells of, in a file whose other tensors are known.
  @Test func statisticsLookWhereTheMapIsLost() throws {
    let odd = Pattern.weights.bytes(.bf16, 60_000)
    var file = GGUFFile()
    file.add("odd", [120_000], type: 60, odd)
    file.add("last", [96, 64], type: 0, UnusualFile.values)
    let packed = try Container(ArraySource(try packed(from: ArraySource(file.bytes), options()).bytes))
    #expect(packed.segments.contains { $0.elementType == "BF16" && $0.byteCount > 100_000 })
    #expect(packed.segments.contains { $0.elementType == "F32" })
  }

  /// A tensor for each of many storages, whose records come behind the pickles.
  @Test func manyTensors() throws {
    let count = 33_000
    var pickle = PickleTests.emptyDict + PickleTests.mark
    var keys = PickleTests.emptyList + PickleTests.mark
    var data: [UInt8] = []
    var entry = PickleTests.text("layer.00000")
    entry += PickleTests.tensor(PickleTests.storage("00000", count: 1), shape: [1], strides: [1])
    let places = entry.indices.filter { entry[$0...].starts(with: "00000".utf8) }
    for number in 0..<count {
      let digits = Array(String(100_000 + number).utf8.dropFirst())
      for place in places { entry.replaceSubrange(place..<(place + 5), with: digits) }
      pickle += entry
      keys += [0x8C, 5]
      keys += digits
      data += [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, digits[4], 0x3C]
    }
    let start = UnusualFile.legacy(protocol: 4)
    let dictionary = try #require(start.firstRange(of: PickleTests.text("w"))).lowerBound - 1
    var file = Array(start[..<dictionary])
    file += pickle + [0x75, 0x2E] as [UInt8]
    file += keys + [0x65, 0x2E] as [UInt8]
    let map = try #require(try Torch.map(SparseBytes(file + data)))
    #expect(map.tensors.count == count && map.payloads.count == count)
    #expect(map.tensors.last?.name == "layer.\(count - 1)")
  }
}
