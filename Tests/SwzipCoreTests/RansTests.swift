import SwzipCore
import SwzipSamples
import Testing

/// rANS tables and contexts: frequencies, and their wire form.
struct RansTests {
  static func table(_ counts: [UInt32]) -> RansTable {
    unsafe counts.withUnsafeBufferPointer { unsafe RansTable(counts: $0.baseAddress!) }
  }

  @Test(arguments: 0..<120) func frequenciesFollowCounts(seed: Int) {
    let counts = CodeLengthsTests.counts(seed)
    let table = Self.table(counts)
    #expect(table.frequencies.reduce(0) { $0 + Int($1) } == 4096)
    for symbol in 0..<256 {
      #expect((counts[symbol] > 0) == (table.levels[symbol] > 0))
      #expect((counts[symbol] > 0) == (table.frequencies[symbol] > 0))
    }
    // Who occurs more often has no lower level; a higher level has no fewer slots.
    let byCount = (0..<256).sorted { counts[$0] < counts[$1] }
    #expect(zip(byCount, byCount.dropFirst()).allSatisfy { table.levels[$0] <= table.levels[$1] })
    let byLevel = (0..<256).sorted { table.levels[$0] < table.levels[$1] }
    for (low, high) in zip(byLevel, byLevel.dropFirst()) where table.levels[low] < table.levels[high] {
      #expect(table.frequencies[low] <= table.frequencies[high])
    }
  }

  /// A table has two symbols at least, whatever occurs.
  @Test(arguments: [-1, 0, 1, 128, 255]) func fewerThanTwoSymbols(symbol: Int) {
    var counts = [UInt32](repeating: 0, count: 256)
    if symbol >= 0 { counts[symbol] = 5 }
    let table = Self.table(counts)
    #expect(table.frequencies.reduce(0) { $0 + Int($1) } == 4096)
    #expect(table.levels.count { $0 > 0 } == 2)
    if symbol >= 0 { #expect(table.frequencies[symbol] == table.frequencies.max()) }
  }

  /// The rarest symbol that a count can have keeps a slot beside 255 others.
  @Test func steepCounts() {
    let counts = (0..<256).map { $0 == 17 ? UInt32(1) << 29 : 1 }
    let table = Self.table(counts)
    #expect(table.frequencies[17] == 4096 - 255)
    #expect(table.frequencies.allSatisfy { $0 > 0 })
    let even = Self.table([UInt32](repeating: 77, count: 256))
    #expect(even.frequencies.allSatisfy { $0 == 16 })
  }

  // MARK: wire form of a table

  @Test(arguments: 0..<120) func tableRoundTrip(seed: Int) throws {
    let table = Self.table(CodeLengthsTests.counts(seed))
    var writer = ByteWriter()
    table.write(&writer)
    #expect(try Self.read(writer.bytes) == table)
    for count in writer.bytes.indices {
      #expect(throws: SwzipError.self, "cut at \(count)") { try Self.read(Array(writer.bytes[..<count])) }
    }
  }

  /// Levels may be told in more than one way.
  @Test func otherWireForms() throws {
    let steps = try Self.read([1, 5, 1, 0x89])
    #expect(steps.levels[5...6] == [33, 33])
    #expect(try Self.read([1, 5, 1, 0x10, 0x02, 0x21]) == steps)
    #expect(try Self.read([2, 5, 0, 0x09, 6, 0, 0x09]) == steps)
    #expect(try Self.read([1, 4, 2, 0x00, 0x90, 0x08]) == steps)
    let far = try Self.read([1, 0, 2, 0xF0, 0x03, 0x01, 0x08])
    #expect(far.levels[...2] == [63, 1, 1])
  }

  static let malformed: [(String, [UInt8])] = [
    ("nothing", []), ("no run", [0]), ("one symbol", [1, 5, 0, 8]), ("only absent symbols", [1, 5, 1, 0, 0, 0]),
    ("level 64", [1, 5, 1, 0x00, 0x84]), ("level 255", [1, 5, 1, 0xF0, 0x8F]),
    ("a step above 63", [1, 5, 1, 0xF0, 0x93]), ("a step to 0", [1, 5, 1, 0x10, 0x70]),
    ("a step below 0", [1, 5, 1, 0x10, 0x10]), ("runs that overlap", [2, 5, 1, 0x88, 6, 1, 0x88]),
    ("runs that descend", [2, 9, 0, 8, 5, 0, 8]), ("a run past 255", [1, 255, 1, 0x88]),
    ("a last nibble that is not zero", [2, 5, 0, 0x18, 9, 0, 8]), ("255 runs", [255, 0, 255]),
  ]

  @Test(arguments: malformed) func malformedTables(what: String, wire: [UInt8]) {
    #expect(throws: SwzipError.self, "\(what)") { try Self.read(wire) }
  }

  // MARK: contexts

  /// Tables, classes of rows and columns, and the row length they belong to.
  static func coding(_ seed: Int) -> (coding: RansCoding, rowLength: Int) {
    var random = Random(UInt64(seed))
    let rowBits = seed % 5
    let usesColumns = seed / 5 % 2 == 1
    let rowLength = rowBits > 0 || usesColumns ? 1 + random.below(200) : 32 * random.below(3)
    let most = 1 + random.below(16)
    let columns = usesColumns ? (0..<rowLength).map { _ in UInt8(random.below(most)) } : []
    let contexts = 1 << rowBits + Int(columns.max() ?? 0)
    let tables = (0...random.below(4)).map { table(CodeLengthsTests.counts(seed + 9 * $0)) }
    return (
      RansCoding(
        tables: tables, rowBits: rowBits, columns: columns,
        tableOfContext: contexts == 1 ? [0] : (0..<contexts).map { _ in UInt8(random.below(tables.count)) }), rowLength
    )
  }

  @Test(arguments: 0..<60) func contextsRoundTrip(seed: Int) throws {
    let (coding, rowLength) = Self.coding(seed)
    var writer = ByteWriter()
    coding.write(&writer)
    let wire = writer.bytes
    #expect(try Self.read(wire, tables: coding.tables.count, rowLength: rowLength) == coding)
    for count in wire.indices {
      #expect(throws: SwzipError.self, "cut at \(count)") {
        try Self.read(Array(wire[..<count]), tables: coding.tables.count, rowLength: rowLength)
      }
    }
    #expect(throws: SwzipError.self) { try Self.read(wire, tables: 0, rowLength: rowLength) }
    // Whatever the bytes, what is accepted has a table for every value.
    var random = Random(UInt64(seed))
    for position in wire.indices {
      var changed = wire
      changed[position] = UInt8(truncatingIfNeeded: random.next())
      do {
        let read = try Self.read(changed, tables: coding.tables.count, rowLength: rowLength)
        let highest = 1 << read.rowBits - 1 + Int(read.columns.max() ?? 0)
        #expect(highest < read.tableOfContext.count && read.tableOfContext.count <= RansCoding.mostContexts)
        #expect(read.tableOfContext.allSatisfy { $0 < read.tables.count })
        #expect(read.columns.isEmpty || read.columns.count == rowLength)
        #expect(read.rowBits == 0 && read.columns.isEmpty || rowLength > 0)
      } catch {
        #expect(error is SwzipError)
      }
    }
  }

  /// Behind one table: bits of a row, contexts, their tables, column flag, column classes.
  @Test(
    arguments: [
      ("five bits a row", 8, [5, 32] + [UInt8](repeating: 0, count: 33)), ("no context", 8, [0, 0, 0]),
      ("33 contexts", 8, [1, 33] + [UInt8](repeating: 0, count: 34)), ("two contexts, no classes", 8, [0, 2, 0, 0, 0]),
      ("table 1 of 1", 8, [0, 1, 1, 0]), ("rows without row length", 0, [1, 2, 0, 0, 0]),
      ("columns without row length", 0, [0, 1, 0, 1]), ("column flag 2", 8, [0, 1, 0, 2, 0, 0, 0, 0]),
      ("a row's class too high", 8, [2, 3, 0, 0, 0, 0]), ("a column's class too high", 2, [0, 2, 0, 0, 1, 0x20]),
      ("a sum too high", 2, [1, 2, 0, 0, 1, 0x10]), ("a last nibble that is not zero", 1, [0, 2, 0, 0, 1, 0x11]),
    ] as [(String, Int, [UInt8])])
  func contextsThatCannotBe(what: String, rowLength: Int, wire: [UInt8]) throws {
    let table: [UInt8] = [1, 5, 1, 0x88]
    _ = try Self.read(table + [0, 1, 0, 0], tables: 1, rowLength: rowLength)
    #expect(throws: SwzipError.self, "\(what)") { try Self.read(table + wire, tables: 1, rowLength: rowLength) }
  }

  // MARK: helpers

  private static func read(_ wire: [UInt8]) throws -> RansTable {
    var reader = unsafe ByteReader(wire.span.bytes, at: 0)
    return try RansTable.read(&reader)
  }

  private static func read(_ wire: [UInt8], tables: Int, rowLength: Int) throws -> RansCoding {
    var reader = unsafe ByteReader(wire.span.bytes, at: 0)
    let coding = try RansCoding.read(&reader, tables: tables, rowLength: rowLength)
    #expect(reader.remaining == 0)
    guard coding.coversClasses else { throw reader.failure(.blockHeader) }
    return coding
  }
}
