import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Files that official parsers take or refuse (the probes of the safetensors library): each comes back bit by bit, is packed
/// as plain bytes with a warning where it is not what we know, and without the type of a tensor that alone is not.
struct OddFilesTests {
  struct Probe: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// What packing calls it.
    var format = "safetensors"
    var warns = false
    /// Whether the warning is of the length, which a pipe does not tell while its header is read.
    var warnsOfLength = false
    var tensors: Int?
    var testDescription: String { name }
  }

  private static let data = Pattern.weights.bytes(.f32, 64)
  private static let entry = #""a":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}"#

  private static func known(_ name: String, _ header: String, _ data: [UInt8] = data, tensors: Int = 1) -> Probe {
    Probe(name: name, bytes: SafetensorsFile.file(header, data), tensors: tensors)
  }

  private static func opaque(_ name: String, _ header: String, _ data: [UInt8] = data, warns: Bool = true) -> Probe {
    Probe(name: name, bytes: SafetensorsFile.file(header, data), format: "raw", warns: warns, tensors: 0)
  }

  /// A sound header of a tensor that is odd.
  private static func odd(_ name: String, _ header: String, _ data: [UInt8] = data, tensors: Int = 1) -> Probe {
    Probe(name: name, bytes: SafetensorsFile.file(header, data), warns: true, tensors: tensors)
  }

  private static func tensor(_ dtype: String, _ shape: String, _ range: String) -> String {
    #"{"a":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(range)}}"#
  }

  static let probes: [Probe] = [
    known("no tensor, no data", "{}", [], tensors: 0),
    known("odd header length", "{\(entry)}"),
    known("leading space", " {\(entry)}"),
    known("trailing space", "{\(entry)}     "),
    known("trailing tab and newline", "{\(entry)}\t\n"),
    opaque("trailing NULs", "{\(entry)}\0\0"),
    opaque("byte order mark", "\u{FEFF}{\(entry)}", warns: false),
    opaque("empty header", "", warns: false),
    Probe(
      name: "invalid UTF-8", bytes: SafetensorsFile.file(Array(#"{"a"#.utf8) + [0xFF] + Array(#"":{}}"#.utf8), data),
      format: "raw", warns: true, tensors: 0),
    opaque("lone surrogate", #"{"\ud800":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}"#),
    known("surrogate pair", #"{"\ud83d\ude00":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}"#),
    known("first offset is not 0", tensor("F32", "[62]", "[8,256]")),
    known("extra bytes", "{\(entry)}", data + [1, 2, 3]).warning(),
    known("short", "{\(entry)}", Array(data.dropLast())).warning(tensors: 0),
    known("no data at all", "{\(entry)}", []).warning(tensors: 0),
    known(
      "a hole",
      #"{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},"b":{"dtype":"F32","shape":[8],"data_offsets":[224,256]}}"#,
      tensors: 2),
    odd(
      "overlap",
      #"{"a":{"dtype":"F32","shape":[60],"data_offsets":[0,240]},"b":{"dtype":"F32","shape":[8],"data_offsets":[224,256]}}"#,
      tensors: 2),
    known(
      "header order is not offset order",
      #"{"b":{"dtype":"F32","shape":[32],"data_offsets":[128,256]},"a":{"dtype":"F32","shape":[32],"data_offsets":[0,128]}}"#,
      tensors: 2),
    known(
      "empty tensors",
      #"{"z":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0]},\#(entry),"y":{"dtype":"I8","shape":[3,0],"data_offsets":[256,256]}}"#,
      tensors: 3),
    known("scalar", tensor("F32", "[]", "[0,4]"), Array(data.prefix(4))),
    opaque("duplicate name, same entry", "{\(entry),\(entry)}"),
    opaque(
      "duplicate name, other range",
      #"{"a":{"dtype":"F32","shape":[32],"data_offsets":[0,128]},"a":{"dtype":"F32","shape":[32],"data_offsets":[128,256]}}"#
    ),
    opaque("duplicate metadata", #"{"__metadata__":{},"__metadata__":{},\#(entry)}"#),
    known("null metadata", #"{"__metadata__":null,\#(entry)}"#),
    known("extra key", #"{"a":{"dtype":"F32","shape":[64],"data_offsets":[0,256],"more":[1,{"x":null}]}}"#),
    odd("array form", #"{"a":["F32",[64],[0,256]]}"#, tensors: 0),
    odd("float in shape", tensor("F32", "[64.0]", "[0,256]")),
    odd("exponent in shape", tensor("F32", "[64e0]", "[0,256]")),
    odd("negative offset", tensor("F32", "[64]", "[-0,256]"), tensors: 0),
    odd("offsets descend", tensor("F32", "[64]", "[256,0]"), tensors: 0),
    odd("shape disagrees", tensor("F32", "[63]", "[0,256]")),
    odd("odd number of F4", tensor("F4", "[511]", "[0,256]")),
    known("even number of F4", tensor("F4", "[512]", "[0,256]")),
    known("F6", tensor("F6_E2M3", "[256]", "[0,192]"), Array(data.prefix(192))),
    odd("F6 of no whole bytes", tensor("F6_E3M2", "[255]", "[0,191]"), Array(data.prefix(191))),
    odd("shape overflows", tensor("F32", "[4294967296,4294967296,16]", "[0,256]")),
    odd("number above 2^63", tensor("F32", "[9223372036854775808]", "[0,256]")),
    odd("range beyond everything", tensor("U8", "[9223372036854775807]", "[0,9223372036854775807]"), tensors: 0),
    known("range far beyond the file", tensor("U8", "[1152921504606846976]", "[0,1152921504606846976]")).warning(
      tensors: 0),
    known("empty name", #"{"":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}"#),
    known("odd names", #"{"a/b\u0000\n😀":{"dtype":"F32","shape":[64],"data_offsets":[0,256]}}"#),
    odd("lower-case type", tensor("f32", "[64]", "[0,256]")),
    odd("our own name for bytes", tensor("BYTES", "[256]", "[0,256]")),
    odd("unknown type", tensor("F7_E3M3", "[64]", "[0,256]")),
    odd(
      "rank 65", tensor("U8", "[" + [String](repeating: "1", count: 64).joined(separator: ",") + ",256]", "[0,256]")),
    opaque(
      "deep nesting",
      #"{"__metadata__":"# + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + "}"),
    opaque("no JSON", "{hello"),
    opaque("cut in a string", #"{"a"#),
    opaque("header is an array", "[1,2,3,4]", warns: false),
    known("big metadata", #"{"__metadata__":{"k":"\#(String(repeating: "v", count: 1 << 18))"},\#(entry)}"#),
    Probe(
      name: "claims 10^8 bytes of header", bytes: [0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0] + Array("{}".utf8) + data,
      format: "raw", warns: true, tensors: 0),
    Probe(
      name: "claims 2^63 bytes of header", bytes: [0, 0, 0, 0, 0, 0, 0, 0x80] + Array("{}".utf8) + data, format: "raw",
      warns: false, tensors: 0),
    Probe(name: "eight bytes", bytes: [1, 0, 0, 0, 0, 0, 0, 0], format: "raw", tensors: 0),
    Probe(name: "nine bytes", bytes: [2, 0, 0, 0, 0, 0, 0, 0, 0x7B], format: "raw", warns: true, tensors: 0),
  ]

  @Test(arguments: probes) func comesBack(probe: Probe) throws {
    for level in [1, 3] {
      for isPipe in [false, true] {
        let (container, report) = try packed(from: byteSource(probe.bytes, isPipe: isPipe), options(level: level))
        #expect(same(try unpackedForward(container, isPipe: isPipe), probe.bytes))
        #expect(same(try unpacked(container, capacity: probe.bytes.count), probe.bytes))
        #expect(report.format == probe.format)
        #expect(report.tensorCount == probe.tensors)
        #expect(report.warnings.count == (probe.warns && !(isPipe && probe.warnsOfLength) ? 1 : 0))
      }
    }
  }

  @Test func formatsAsTold() throws {
    let file = SafetensorsFile.everything().bytes
    var told = options()
    told.format = .raw
    let raw = try packed(from: ArraySource(file), told)
    #expect(raw.report.format == "raw")
    #expect(raw.report.tensorCount == 0)
    #expect(same(try unpackedForward(raw.bytes), file))
    told.format = .safetensors
    #expect(try packed(from: ArraySource(file), told).report.warnings.isEmpty)
    #expect(try packed(from: ArraySource(Random.made(500)), told).report.warnings.count == 1)
  }

  /// A file cut anywhere near its start, around each tensor's end, or made longer.
  @Test(arguments: [1, 3]) func cutAndExtended(level: Int) throws {
    let made = SafetensorsFile.everything(seed: 12)
    let whole = made.bytes
    var ends = Array(stride(from: 0, through: 40, by: 3)) + [whole.count - 1, whole.count / 2, whole.count / 2 + 1]
    var end = whole.count - made.tensors.reduce(0) { $0 + $1.bytes.count }
    ends += [end - 1, end, end + 1]
    for tensor in made.tensors {
      end += tensor.bytes.count
      if end % 5 == 0 { ends += [end - 1, end] }
    }
    for end in ends {
      let cut = Array(whole[..<end])
      for isPipe in [false, true] {
        let (container, _) = try packed(from: byteSource(cut, isPipe: isPipe), options(level: level, threads: 2))
        #expect(same(try unpackedForward(container), cut), "cut at \(end), pipe \(isPipe)")
      }
    }
    for count in [1, 100, 70_001] {
      let longer = whole + Random.made(count)
      let (container, report) = try packed(from: ArraySource(longer), options(level: level))
      #expect(same(try unpackedForward(container), longer))
      #expect(report.warnings == ["\(count) bytes follow the last tensor"])
    }
  }
}

extension OddFilesTests.Probe {
  fileprivate func warning(tensors: Int = 1) -> Self {
    var probe = self
    (probe.warns, probe.warnsOfLength, probe.tensors) = (true, true, tensors)
    return probe
  }
}
