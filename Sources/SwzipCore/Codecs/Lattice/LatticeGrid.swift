/// How a segment's values are parted into groups (spec/codecs/lattice.md): rows into columns, the rows into bands.
struct LatticeGrid: Equatable, Sendable {
  struct Run: Equatable, Sendable {
    var length: UInt64
    var count: UInt64
  }

  static let mostGroups: UInt64 = 1 << 18

  let rowLength: UInt32
  let columns: [Run]
  let bands: [Run]
  /// Where each ends: columns in values, bands in rows.
  let columnEnds: [UInt32]
  let bandEnds: [UInt32]

  /// Nil for runs that do not tile `valueCount` values, or make too many groups.
  init?(rowLength: UInt64, columns: [Run], bands: [Run], valueCount: UInt64) {
    guard rowLength >= 1, rowLength <= min(valueCount, UInt64(UInt32.max)) else { return nil }
    let rows = (valueCount + rowLength - 1) / rowLength
    guard let columnEnds = Self.ends(columns), let bandEnds = Self.ends(bands),
      UInt64(columnEnds.count) * UInt64(bandEnds.count) <= Self.mostGroups, UInt64(columnEnds.last!) == rowLength,
      UInt64(bandEnds.last!) >= rows, bandEnds.count < 2 || UInt64(bandEnds[bandEnds.count - 2]) < rows
    else { return nil }
    self.rowLength = UInt32(rowLength)
    self.columns = columns
    self.bands = bands
    self.columnEnds = columnEnds
    self.bandEnds = bandEnds
  }

  var groupCount: Int { columnEnds.count * bandEnds.count }

  private static func ends(_ runs: [Run]) -> [UInt32]? {
    var (end, count): (UInt64, UInt64) = (0, 0)
    for run in runs {
      guard run.length >= 1, run.count >= 1, run.length <= UInt64(UInt32.max), run.count <= mostGroups else {
        return nil
      }
      end += run.length * run.count
      count += run.count
      guard end <= UInt64(UInt32.max), count <= mostGroups else { return nil }
    }
    guard count > 0 else { return nil }
    var ends: [UInt32] = []
    ends.reserveCapacity(Int(count))
    var last: UInt32 = 0
    for run in runs {
      for _ in 0..<run.count {
        last += UInt32(run.length)
        ends.append(last)
      }
    }
    return ends
  }

  /// The runs of parts that end there.
  static func runs(_ ends: [Int]) -> [Run] {
    var runs: [Run] = []
    var start = 0
    for end in ends {
      let length = UInt64(end - start)
      if runs.last?.length == length {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(length: length, count: 1))
      }
      start = end
    }
    return runs
  }

  // MARK: wire

  func write(_ writer: inout ByteWriter) {
    writer.varint(UInt64(rowLength))
    for runs in [columns, bands] {
      writer.varint(UInt64(runs.count))
      for run in runs {
        writer.varint(run.length)
        writer.varint(run.count)
      }
    }
  }

  static func read(_ reader: inout ByteReader, valueCount: UInt64) throws(SwzipError) -> LatticeGrid {
    let failure = reader.failure(.limit)
    let rowLength = try reader.varint()
    let columns = try readRuns(&reader)
    let bands = try readRuns(&reader)
    guard let grid = LatticeGrid(rowLength: rowLength, columns: columns, bands: bands, valueCount: valueCount) else {
      throw failure
    }
    return grid
  }

  private static func readRuns(_ reader: inout ByteReader) throws(SwzipError) -> [Run] {
    let count = try reader.count(itemBytes: 2, atMost: Int(mostGroups))
    var runs: [Run] = []
    runs.reserveCapacity(count)
    for _ in 0..<count { runs.append(Run(length: try reader.varint(), count: try reader.varint())) }
    return runs
  }
}
