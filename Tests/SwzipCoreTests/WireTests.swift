import SwzipCore
import SwzipNames
import SwzipSamples
import Testing

/// The structures of the container: what is written is read again, and nothing else is.
struct WireTests {
  // MARK: integers

  @Test func integers() throws {
    var writer = ByteWriter()
    writer.integer(UInt8(0xFE))
    writer.integer(UInt16(0x0102))
    writer.integer(UInt32(0x0304_0506))
    writer.integer(UInt64.max - 1)
    writer.integer(Int64(-2))
    #expect(writer.bytes[..<7] == [0xFE, 2, 1, 6, 5, 4, 3])
    let bytes = writer.bytes
    var reader = unsafe ByteReader(bytes.span.bytes, at: 100)
    #expect(try reader.integer(UInt8.self) == 0xFE)
    #expect(try reader.integer(UInt16.self) == 0x0102)
    #expect(try reader.integer(UInt32.self) == 0x0304_0506)
    #expect(try reader.integer(UInt64.self) == UInt64.max - 1)
    #expect(try reader.integer(Int64.self) == -2)
    #expect(reader.position == 123)
    #expect(reader.remaining == 0)
    do {
      _ = try reader.integer(UInt8.self)
      Issue.record("read beyond the end")
    } catch {
      #expect(error == SwzipError(.corrupt, .truncated, at: 123))
    }
  }

  /// Around every power of two.
  static let values: [UInt64] =
    (0..<63).flatMap { (bit: Int) -> [UInt64] in
      let power = UInt64(1) << UInt64(bit)
      return [power - 1, power, power + 1]
    } + [UInt64(Int64.max)]

  @Test(arguments: values) func varints(value: UInt64) throws {
    var writer = ByteWriter()
    writer.varint(value)
    let bits = max(1, 64 - value.leadingZeroBitCount)
    #expect(writer.bytes.count == (bits + 6) / 7)
    #expect(try Self.varint(writer.bytes) == value)
    for count in writer.bytes.indices {
      #expect(throws: SwzipError(.corrupt, .truncated, at: UInt64(count))) {
        try Self.varint(Array(writer.bytes[..<count]))
      }
    }
    // Not the shortest form.
    var longer = writer.bytes
    longer[longer.count - 1] |= 0x80
    #expect(throws: SwzipError.self) { try Self.varint(longer + [0]) }
  }

  @Test func longVarints() {
    for bytes: [UInt8] in [
      [0x80, 0], [0xFF, 0x80, 0], [UInt8](repeating: 0xFF, count: 9) + [0], [UInt8](repeating: 0xFF, count: 9) + [1],
      [UInt8](repeating: 0x80, count: 9) + [1], [UInt8](repeating: 0xFF, count: 20),
    ] {
      #expect(throws: SwzipError.self, "\(bytes)") { try Self.varint(bytes) }
    }
  }

  @Test func countsAreProved() throws {
    var writer = ByteWriter()
    writer.varint(3)
    writer.zeros(30)
    for (itemBytes, limit, rule) in [(10, 3, nil), (11, 3, .truncated), (10, 2, .limit)]
      as [(Int, Int, SwzipError.Rule?)]
    {
      let bytes = writer.bytes
      var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
      do {
        #expect(try reader.count(itemBytes: itemBytes, atMost: limit) == 3)
        #expect(rule == nil)
      } catch {
        #expect(error.rule == rule)
      }
    }
  }

  @Test func paddingIsZeroAndShort() {
    for (bytes, good) in [([], true), ([0], true), ([UInt8](repeating: 0, count: 15), true), ([0, 1], false)]
      as [([UInt8], Bool)]
    {
      #expect(Self.padding(bytes) == good)
    }
    #expect(!Self.padding([UInt8](repeating: 0, count: 16)))
  }

  @Test func stringsAreUTF8() throws {
    let good = Array("é😀".utf8)
    var reader = unsafe ByteReader(good.span.bytes, at: 0)
    #expect(try reader.string(good.count) == "é😀")
    for bad: [UInt8] in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] {
      var reader = unsafe ByteReader(bad.span.bytes, at: 7)
      do {
        _ = try reader.string(bad.count)
        Issue.record("\(bad) was read")
      } catch {
        #expect(error == SwzipError(.corrupt, .name, at: 7))
      }
    }
  }

  // MARK: header and trailer

  @Test func fileHeader() throws {
    for kind in [FileHeader.Kind.file, .folder, .checkpoint] {
      for total in [nil, 0, 12_345] as [UInt64?] {
        var header = FileHeader()
        header.kind = kind
        header.totalByteCount = total
        header.mustFlags = FileHeader.refersBack
        header.mayFlags = FileHeader.memberSHA256
        let bytes = header.bytes
        #expect(bytes.count == 64)
        #expect(try FileHeader.read(bytes) == header)
        expectEachFlipRefused(bytes) { _ = try FileHeader.read($0) }
        for count in bytes.indices { #expect(throws: SwzipError.self) { try FileHeader.read(Array(bytes[..<count])) } }
      }
    }
  }

  /// Under a right hash: reserved fields, versions and flags of the future are "unsupported".
  @Test func headersOfTheFuture() throws {
    let good = FileHeader().bytes
    for (position, value, accepted) in [
      (8, 1, false), (10, 5, false), (10, 3, true), (10, 2, true), (10, 1, true), (10, 0, false), (12, 4, false),
      (15, 0x80, false),
      (16, 0x80, true),
      (20, 3, false),
      (21, 1, false), (22, 5, false), (22, 4, true), (22, 3, true), (22, 1, true), (22, 0, true), (24, 1, false),
      (39, 1, false),
      (48, 1, false),
      (55, 1, false),
    ] as [(Int, UInt8, Bool)] {
      var bytes = good
      bytes[position] = value
      let hash = xxh3(Array(bytes[..<56]))
      for index in 0..<8 { bytes[56 + index] = UInt8(truncatingIfNeeded: hash >> UInt64(8 * index)) }
      do {
        _ = try FileHeader.read(bytes)
        #expect(accepted, "byte \(position)")
      } catch {
        #expect(!accepted && error.kind == .unsupported, "byte \(position): \(error)")
      }
    }
  }

  @Test func trailer() throws {
    let trailer = Trailer(
      tablesPosition: 160, directoryPosition: 176, header: FileHeader().bytes, directory: [1, 2, 3])
    let bytes = trailer.bytes
    #expect(bytes.count == 64)
    #expect(try Trailer.read(bytes, fileByteCount: 400) == trailer)
    expectEachFlipRefused(bytes) { _ = try Trailer.read($0, fileByteCount: 400) }
    for (tables, directory) in [(48, 176), (176, 160), (160, 336), (160, 352), (168, 176), (160, 184)]
      as [(UInt64, UInt64)]
    {
      let bad = Trailer(tablesPosition: tables, directoryPosition: directory, header: [], directory: [])
      #expect(throws: SwzipError.self, "\(tables), \(directory)") { try Trailer.read(bad.bytes, fileByteCount: 400) }
    }
  }

  // MARK: frames

  static let members: [MemberHeader] = {
    var all = MemberHeader()
    all.name = "folder/weights.safetensors"
    all.mode = 0o640
    all.time = FileTime(nanoseconds: -1)
    all.byteCount = 1 << 40
    all.storesSHA256 = true
    all.bases = [
      BaseRecord(sha256: Random.made(32), byteCount: 77, hint: "base.bin"),
      BaseRecord(sha256: Random.made(32), byteCount: 0, hint: ""),
    ]
    var zero = MemberHeader()
    (zero.mode, zero.time, zero.byteCount) = (0, FileTime(nanoseconds: 0), 0)
    return [MemberHeader(), all, zero]
  }()

  static func readMember(_ reader: inout ByteReader) throws(SwzipError) -> MemberHeader {
    try MemberHeader.read(&reader, .current)
  }

  @Test func memberFrames() throws {
    for member in Self.members {
      let frame = member.frame(number: 5)
      #expect(try Self.readFrame(frame.bytes, .member, 5, Self.readMember) == member)
      expectEachFlipRefused(frame.bytes) { _ = try Self.readFrame($0, .member, 5, Self.readMember) }
      expectTypedErrors(frame.bytes) { _ = try Self.readBody($0, Self.readMember) }
    }
  }

  static let segments: [SegmentHeader] = {
    let code = CodeLengthsTests.code([UInt32](repeating: 3, count: 243) + [UInt32](repeating: 0, count: 13))
    let palette = Palette(width: 2, values: [1, 2, 0, 0, 255, 255], valuesPerSymbol: 5)
    let rans = RansTests.coding(7)
    let rowLength = UInt32(rans.rowLength)
    let blockValues = 20_000 / max(rowLength, 1) * max(rowLength, 1)
    func float(_ coder: SymbolCoder, rowLength: UInt32, blockValues: UInt32) -> SegmentHeader {
      SegmentHeader(
        memberOffset: 96, byteCount: 40_960, blockValues: blockValues, elementType: .bf16,
        coding: FloatCoding(
          FloatKind(.bf16, mantissaBits: 1)!, windowBase: 256, coder, rowLength: rowLength))
    }
    func copy(_ reference: Reference) -> SegmentHeader {
      SegmentHeader(
        memberOffset: 1 << 50, byteCount: 64, blockValues: 8, elementType: .f64, coding: CopyCoding(),
        references: [reference])
    }
    return [
      SegmentHeader(memberOffset: 0, byteCount: 1, blockValues: 1, elementType: .bytes, coding: BytesCoding()),
      float(
        .huffman([1, 2, 3].map { CodeLengthsTests.code(CodeLengthsTests.counts($0)) }), rowLength: 64,
        blockValues: 10_240),
      copy(.earlier(member: 3, offset: 1 << 49)), copy(.base(number: 1, offset: 9)),
      SegmentHeader(
        memberOffset: 7, byteCount: 80_000, blockValues: 8192, elementType: .i64, coding: PlanesCoding()),
      float(.rans(rans.coding), rowLength: rowLength, blockValues: blockValues),
      SegmentHeader(
        memberOffset: 0, byteCount: 40_000, blockValues: 10_000, elementType: .i16,
        coding: SymbolsCoding(palette, .huffman([code]))),
      SegmentHeader(
        memberOffset: 0, byteCount: 40_000, blockValues: blockValues, elementType: .u8,
        coding: SymbolsCoding(.bytes, .rans(rans.coding), rowLength: rowLength)),
    ]
  }()

  @Test func segmentFrames() throws {
    for segment in Self.segments {
      let frame = segment.frame(number: 9)
      #expect(try Self.readFrame(frame.bytes, .segment, 9, Self.readSegment) == segment)
      expectEachFlipRefused(frame.bytes) { _ = try Self.readFrame($0, .segment, 9, Self.readSegment) }
      expectTypedErrors(frame.bytes) { bytes in
        let read = try Self.readBody(bytes, Self.readSegment)
        // What is accepted makes sense to a decoder.
        #expect(read.blockValues >= 1 && read.byteCount >= 1 && read.blockCount >= 1)
        #expect(read.byteCount % UInt64(read.width) == 0)
      }
    }
  }

  @Test func segmentsThatCannotBe() {
    let good = Self.segments[1]
    let table = CodeLengthsTests.code([UInt32](repeating: 1, count: 256))
    let changes: [(String, (inout SegmentHeader) -> Void)] = [
      ("no bytes", { $0.byteCount = 0 }), ("odd bytes", { $0.byteCount = 40_959 }),
      ("no values a block", { $0.blockValues = 0 }), ("too many values a block", { $0.blockValues = 1 << 18 + 1 }),
      ("tiny blocks", { $0.blockValues = 8191 }), ("rows of 33", Self.fields { $0.rowLength = 33 }),
      ("rows longer than blocks", Self.fields { $0.rowLength = 10_272 }),
      ("window at 257", Self.fields { $0.windowBase = 257 }),
      ("three mantissa bits", Self.fields { $0.mantissaBits = 3 }),
      ("window at 769", Self.fields { ($0.mantissaBits, $0.windowBase) = (2, 769) }),
      ("integers as floats", { $0.elementType = .i16 }),
      ("a window without need", Self.fields { $0.mantissaBits = 0 }),
      ("33 tables", Self.fields { $0.coder = .huffman([CodeLengths](repeating: table, count: 33)) }),
      ("past the end of everything", { $0.memberOffset = UInt64(Int64.max) - 10 }),
      ("copy without reference", Self.change(2) { $0.references = [] }),
      ("copy of two", Self.change(2) { $0.references += $0.references }),
      (
        "five references",
        Self.change(0) { $0.references = Array(repeating: .earlier(member: 0, offset: 0), count: 5) }
      ),
      ("rows in plain bytes", Self.fields(0) { $0.rowLength = 32 }),
      ("rows that do not fill a block", Self.change(5) { $0.blockValues += 1 }),
      ("no rANS table", Self.rans { $0.tables = [] }), ("five bits a row", Self.rans { $0.rowBits = 5 }),
      ("no row length", Self.fields(5) { $0.rowLength = 0 }),
      ("a context of no table", Self.rans { $0.tableOfContext[1] = 9 }),
      ("a context too few", Self.rans { $0.tableOfContext.removeLast() }),
      ("33 contexts", Self.rans { $0.tableOfContext = [UInt8](repeating: 0, count: 33) }),
      ("rANS for integers", Self.fields(5, codec: .planes) { _ in }),
      ("rANS symbols that F16 has not", Self.fields(5, type: .f16) { $0.windowBase = 0 }),
      ("rows of Huffman symbols", Self.fields(6) { $0.rowLength = 32 }),
      (
        "symbols of a block type",
        Self.change(6) {
          ($0.elementType, $0.byteCount, $0.blockValues) = (.q40, 36_000, 2000)
          $0.coding = SymbolsCoding(Palette(width: 18, values: Random.made(36), valuesPerSymbol: 8), .huffman([]))
        }
      ),
      ("J of symbols", Self.fields(6) { $0.mantissaBits = 1 }),
      ("window of symbols", Self.fields(6) { $0.windowBase = 1 }),
      ("blocks of no whole symbols", Self.change(6) { $0.blockValues += 1 }),
      ("a table of more symbols than the palette", Self.fields(6) { $0.coder = .huffman([table]) }),
      (
        "a symbol that F16 has not", Self.fields(1, type: .f16) { ($0.windowBase, $0.coder) = (0, .huffman([table])) }
      ),
    ]
    for (what, change) in changes {
      var bad = good
      change(&bad)
      #expect(throws: SwzipError.self, "\(what)") {
        try Self.readFrame(bad.frame(number: 0).bytes, .segment, 0, Self.readSegment)
      }
    }
  }

  private static func readSegment(_ reader: inout ByteReader) throws(SwzipError) -> SegmentHeader {
    try SegmentHeader.read(&reader)
  }

  /// A change of another segment than the first of floats.
  private static func change(
    _ index: Int, _ change: @escaping (inout SegmentHeader) -> Void
  ) -> (inout SegmentHeader) -> Void {
    {
      $0 = segments[index]
      change(&$0)
    }
  }

  /// A change of what every segment frame has room for, and perhaps of the codec and type it says.
  private static func fields(
    _ index: Int = 1, codec: CodecID? = nil, type: ElementType? = nil, _ change: @escaping (inout CodingFields) -> Void
  ) -> (inout SegmentHeader) -> Void {
    Self.change(index) { segment in
      var other = Disguised(segment.coding, as: codec ?? segment.codec)
      change(&other.fields)
      segment.coding = other
      if let type { segment.elementType = type }
    }
  }

  private static func rans(_ change: @escaping (inout RansCoding) -> Void) -> (inout SegmentHeader) -> Void {
    fields(5) { fields in
      var coding = fields.coder.rans!
      change(&coding)
      fields.coder = .rans(coding)
    }
  }

  /// A coding that says something else of itself in the frame.
  private struct Disguised: Coding {
    private let coding: any Coding
    let codec: CodecID
    var fields: CodingFields
    var modes: [BlockMode]? { nil }

    init(_ coding: any Coding, as codec: CodecID) {
      self.coding = coding
      self.codec = codec
      fields = coding.fields
    }

    static func == (a: Self, b: Self) -> Bool { false }

    func writeParameters(_ writer: inout ByteWriter) { coding.writeParameters(&writer) }
    func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? { nil }
  }

  static func directory() throws -> Directory {
    let sum = try StreamChecksum().sum
    var directory = Directory()
    for (index, header) in members.enumerated() {
      var header = header
      header.name = "member \(index)"
      header.byteCount = 300
      var member = MemberRecord(
        header: header, frameByteCount: 64, checksum: sum,
        sha256: header.storesSHA256 ? Random.made(32) : nil)
      member.segments = [100, 200].map {
        SegmentRecord(
          byteCount: $0, blockCount: 1, frameByteCount: 64, blocksByteCount: 176, elementType: 1, codec: 1,
          frameHash: $0 &* 7_777_777_777_777, tableHash: 3)
      }
      member.tensors = [
        TensorRecord(name: "a\n😀", elementType: .bf16, shape: [10, 5], offset: 100, byteCount: 100),
        TensorRecord(name: "", elementType: .f4, shape: [], offset: 0, byteCount: 0),
      ]
      member.tensors[1].shape = [0, .max >> 1]
      directory.members.append(member)
    }
    return directory
  }

  private static func readDirectory(_ reader: inout ByteReader) throws(SwzipError) -> Directory {
    try Directory.read(&reader, .current)
  }

  @Test func directories() throws {
    let directory = try Self.directory()
    let frame = try directory.frame()
    #expect(frame.count % 16 == 0)
    #expect(try ContainerIndex.readDirectory(frame, at: 0) == directory)
    expectEachFlipRefused(frame) { _ = try ContainerIndex.readDirectory($0, at: 0) }
    expectTypedErrors(frame) { _ = try Self.readBody($0, Self.readDirectory) }
    for count in stride(from: 0, to: frame.count, by: 16) {
      #expect(throws: SwzipError.self) { try ContainerIndex.readDirectory(Array(frame[..<count]), at: 0) }
    }
    var twice = directory
    twice.members[1].header.name = twice.members[0].header.name
    #expect(throws: SwzipError.self) { try ContainerIndex.readDirectory(try twice.frame(), at: 0) }
  }

  @Test func tensorSizes() {
    let cases: [(ElementType, [UInt64], UInt64?)] = [
      (.f32, [], 4), (.f32, [3, 5], 60), (.f4, [3], nil), (.f4, [4], 2), (.f6e2m3, [4], 3), (.f6e3m2, [2], nil),
      (.u8, [1 << 32, 1 << 32], nil), (.u8, [1 << 40, 0, 1 << 40], 0), (.u8, [1 << 60], 1 << 60),
      (.f64, [1 << 58], nil), (.c64, [2], 16), (.q40, [2, 64], 72), (.q40, [64, 2], nil), (.q40, [], nil),
      (.q6K, [0, 3], 0), (.q8K, [1 << 40, 1 << 30], nil), (.q41, [1 << 60], (1 << 55) * 20),
    ]
    for (type, shape, byteCount) in cases {
      #expect(TensorRecord.byteCount(of: type, shape: shape) == byteCount, "\(type) \(shape)")
    }
  }

  @Test(arguments: [FormatVersion.oldest, .current]) func blockTableEntries(version: FormatVersion) throws {
    let low: UInt32? = version == .oldest ? 0x1234_5678 : nil
    for units in [2, 3, 1 << 24 - 1] {
      let entry = BlockTableEntry(frameByteCount: 16 * units, storedHashLow: low, decodedHash: .max - 5)
      var writer = ByteWriter()
      entry.write(&writer, version)
      let bytes = writer.bytes
      #expect(UInt64(bytes.count) * 2 == BlockTableEntry.tableByteCount(2, version))
      var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
      #expect(try BlockTableEntry.read(&reader, version) == entry)
    }
    for units in [0, 1, 1 << 24] as [UInt32] {
      var writer = ByteWriter()
      writer.integer(units)
      writer.zeros(12)
      let bytes = writer.bytes
      var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
      do {
        _ = try BlockTableEntry.read(&reader, version)
        Issue.record("\(units) units were read")
      } catch {
        #expect(error.rule == .frameSize)
      }
    }
  }

  @Test func memberNames() {
    let long = String(repeating: "x", count: 255)
    for name in [
      "a", "a/b", "é", "con1", "x.con", "…", long, Array(repeating: "d", count: 32).joined(separator: "/"), " a",
      "a\u{1F}", "a\\b", "c:", "a ", "a.", "CON", "...", String(nameBytes: [0xFF, 0x2F, 0x80]),
      String(nameBytes: Array(repeating: 0xFF, count: 255)),
    ] {
      #expect(MemberName.isValid(name), "\(name)")
    }
    for name in [
      "", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\u{0}", long + "x", "/\u{301}", "a/\u{301}/..",
      Array(repeating: "d", count: 33).joined(separator: "/"),
      Array(repeating: long, count: 17).joined(separator: "/"),
    ] {
      #expect(!MemberName.isValid(name), "\(name)")
    }
  }

  /// Times of any year, in the new version and in the old.
  @Test func times() throws {
    for (version, seconds, nanoseconds) in [
      (.current, Int64.min, 0), (.current, Int64.max, 999_999_999), (.current, 10_413_792_000, 1),
      (.oldest, -1, 999_999_999), (.oldest, 9_223_372_036, 5),
    ] as [(FormatVersion, Int64, UInt32)] {
      let time = FileTime(seconds: seconds, nanoseconds: nanoseconds)
      var writer = ByteWriter()
      if version == .current {
        writer.integer(seconds)
        writer.integer(nanoseconds)
      } else {
        writer.integer(seconds * 1_000_000_000 + Int64(nanoseconds))
      }
      let bytes = writer.bytes
      var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
      #expect(try FileTime.read(&reader, version) == time)
    }
    var member = MemberHeader()
    member.time = FileTime(seconds: 0, nanoseconds: 1_000_000_000)
    #expect(throws: SwzipError.self) { try Self.readFrame(member.frame(number: 0).bytes, .member, 0, Self.readMember) }
  }

  /// Links lead below the root, up first and then down.
  @Test func linkTargets() {
    for (name, target, path) in [
      ("a", "b", "b"), ("a/b", "c", "a/c"), ("a/b", "../c", "c"), ("a/b/c", "../../d/e", "d/e"), ("a/b", "..", nil),
      ("a", "../b", nil), ("a/b", "../../c", nil), ("a", "/b", nil), ("a", "", nil), ("a", "b/../c", nil),
      ("a", "./b", nil), ("a", "b/", nil), ("a", "b//c", nil), ("a/b", "../c/..", nil), ("a", "b\0", nil),
      ("a", String(repeating: "x/", count: 2048) + "y", nil),
    ] as [(String, String, String?)] {
      #expect(LinkTarget.resolve(target, from: name) == path, "\(name) \(target)")
    }
    for (name, path, target) in [
      ("a", "b", "b"), ("a/b", "a/c", "c"), ("a/b", "c", "../c"), ("a/b/c", "a/d/e", "../d/e"),
      ("a/b/c", "a", "../../../a"),
      ("a/b/c", "a/b", "../../a/b"), ("s/m/f", "b/0", "../../b/0"),
    ] where LinkTarget.resolve(target, from: name) != nil {
      #expect(LinkTarget.resolve(LinkTarget.relative(to: path, from: name), from: name) == path)
    }
    #expect(LinkTarget.relative(to: "b/0", from: "s/m/f") == "../../b/0")
    #expect(LinkTarget.relative(to: "a/c", from: "a/b") == "c")
    #expect(LinkTarget.resolve(LinkTarget.relative(to: "a", from: "a/b/c"), from: "a/b/c") == "a")
  }

  @Test func linkMembers() throws {
    func directory(_ name: String, _ target: String, _ change: (inout MemberHeader) -> Void = { _ in }) throws
      -> Directory
    {
      var directory = try Self.directory()
      var header = MemberHeader()
      (header.name, header.link, header.byteCount) = (name, target, 0)
      change(&header)
      directory.members.append(
        MemberRecord(header: header, frameByteCount: 64, checksum: try StreamChecksum().sum, sha256: nil))
      return directory
    }
    for (name, target) in [("x/y", "../member 0"), ("x", "member 2")] {
      let good = try directory(name, target)
      #expect(try ContainerIndex.readDirectory(try good.frame(), at: 0) == good)
      let member = good.members[3].header
      #expect(try Self.readFrame(member.frame(number: 5).bytes, .member, 5, Self.readMember) == member)
      // Version 0.1 had none.
      do {
        _ = try Self.readFrame(member.frame(number: 5).bytes, .member, 5) { reader throws(SwzipError) in
          try MemberHeader.read(&reader, .oldest)
        }
        Issue.record("read")
      } catch let error as SwzipError {
        #expect(error.kind == .unsupported)
      }
    }
    for bad in [
      try directory("x", "nothing"), try directory("x", "x"), try directory("x", "../member 0"),
      try directory("member 0", "member 1"), try directory("x", "/member 0"), try directory("x", "./member 0"),
      try directory("member 0/x", "member 1"), try directory("x", "member 0") { $0.mode = 0 },
      try directory("x", "member 0") { $0.time = FileTime(nanoseconds: 0) },
      try directory("x", "member 0") { $0.bases = Self.members[1].bases },
    ] {
      #expect(throws: SwzipError.self) {
        let members = try ContainerIndex.readDirectory(try bad.frame(), at: 0).members.map(\.header)
        try LinkTarget.check(
          members.compactMap { member in member.link.map { (member.name, $0) } },
          among: members.filter { $0.link == nil }.map(\.name), .corrupt)
      }
    }
  }

  /// What systems add to the rules of the format.
  @Test func namesOnSystems() {
    for name in [
      "a:b", "a\\b", "CON", "nul", "Com1.txt", "a/LPT9", "aux.tar.gz", "a\u{1F}", "a ", "a /b", "x.", "a?", "<", "\"|",
    ] {
      #expect(
        NameRules.linux.allows(name) && NameRules.macOS.allows(name) && !NameRules.windows.allows(name), "\(name)")
    }
    for name in ["con1", "x.con", "a/b", " a", "ü ✓", "COM0", "console", "e\u{301}"] {
      #expect(NameRules.allCases.allSatisfy { $0.allows(name) }, "\(name)")
    }
    let bytes = String(nameBytes: [0x61, 0xFF])
    #expect(NameRules.linux.allows(bytes) && !NameRules.macOS.allows(bytes) && !NameRules.windows.allows(bytes))
    var warnings = NameWarnings()
    for name in ["a", "b:", "A", "Größe", "GRÖSSE", "\u{E9}", "e\u{301}", "ſ", "s", "c"] { warnings.add(name) }
    #expect(warnings.lines.count == 2 && warnings.lines[0].hasPrefix("b:") && warnings.lines[1].hasPrefix("4 names"))
  }

  /// Every error has a text for people, in one line; what to do is for the program to say, in its own options.
  @Test func errorTexts() {
    for rule in SwzipError.Rule.allCases {
      for kind in SwzipError.Kind.allCases {
        let text = SwzipError(kind, rule, at: 5, detail: "a\nb").text
        #expect(!text.isEmpty && (rule == .system || !text.contains("\n")))
        #expect(!text.contains(" -") && !text.contains(";"), "\(text)")
      }
    }
  }

  /// Programs, of C too, know errors by these numbers.
  @Test func errorCodes() {
    #expect(SwzipError.Kind.allCases.map { SwzipError($0, .system).code } == [1, 2, 3, 4, 5, 6, 64, 75])
  }

  // MARK: helpers

  private static func varint(_ bytes: [UInt8]) throws -> UInt64 {
    var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
    return try reader.varint()
  }

  private static func padding(_ bytes: [UInt8]) -> Bool {
    var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
    return (try? reader.padding()) != nil
  }

  /// Reads a frame as the readers of containers do: header, hash, then the content.
  private static func readFrame<T>(
    _ bytes: [UInt8], _ kind: Frame.Kind, _ tag: UInt32, _ read: (inout ByteReader) throws(SwzipError) -> T
  ) throws -> T {
    var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
    let frame = try Frame.read(&reader)
    guard frame.kind == kind, frame.tag == tag, frame.byteCount == bytes.count,
      unsafe bytes.withUnsafeBytes({ unsafe Frame.hash(of: $0, tag: tag) }) == frame.storedHash
    else { throw SwzipError(.corrupt, .frameHash) }
    return try read(&reader)
  }

  private static func readBody<T>(
    _ bytes: [UInt8], _ read: (inout ByteReader) throws(SwzipError) -> T
  ) throws -> T {
    var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
    _ = try reader.array(Frame.headerBytes)
    return try read(&reader)
  }

  private func expectEachFlipRefused(_ bytes: [UInt8], _ read: ([UInt8]) throws -> Void) {
    for position in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[position] ^= 1 << UInt8(bit)
        #expect(throws: SwzipError.self, "byte \(position), bit \(bit)") { try read(flipped) }
      }
    }
  }

  /// Changed bytes that no hash guards: an error of ours or a value, never a crash.
  private func expectTypedErrors(_ bytes: [UInt8], _ read: ([UInt8]) throws -> Void) {
    var random = Random(UInt64(bytes.count))
    for position in bytes.indices {
      for value in [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: random.next())] {
        var changed = bytes
        changed[position] = value
        do { try read(changed) } catch { #expect(error is SwzipError) }
      }
    }
    for count in Frame.headerBytes..<bytes.count {
      do { try read(Array(bytes[..<count])) } catch { #expect(error is SwzipError) }
    }
  }
}

extension Random {
  static func made(_ count: Int, seed: UInt64 = 5) -> [UInt8] {
    var random = Random(seed)
    return random.bytes(count)
  }
}
