internal import CSwzipKernels

/// Finds whether values are codes times scales, of which book, and how they are grouped: by probes of a few values first, which
/// ordinary weights fail; then by how far one scale reaches.
struct LatticeFinder {
  struct Found {
    /// Nil for scales with offsets.
    let search: LatticeSearch?
    let rowLength: Int
    /// Where columns and bands end.
    let columns: [Int]
    let bands: [Int]

    /// Nil where there are too many groups.
    func grid(_ valueCount: Int) -> LatticeGrid? {
      LatticeGrid(
        rowLength: UInt64(rowLength), columns: LatticeGrid.runs(columns), bands: LatticeGrid.runs(bands),
        valueCount: UInt64(valueCount))
    }
  }

  private static let probeLength = 16
  private static let longProbeLength = 128
  private static let flatRow = 4096
  private static let mostCuts = 4096
  private static let longestPower = 1024

  private enum Direction { case row, column }

  let view: LatticeView

  /// Nil for values that are none.
  func find() -> Found? {
    guard view.count >= 8 * Self.probeLength else { return nil }
    let flat = unsafe LatticeView(view.values, view.elementType, rowLength: 0)!
    let hasRows = view.rows > 1
    let runsAreOfRows = hasRows && view.rowLength % Self.probeLength == 0
    if hasRows && (probes(view, .row, 1).hits != 0 || probes(view, .column, 1).hits != 0), let found = inRows() {
      return found
    }
    if !runsAreOfRows, probes(flat, .row, 1).hits != 0, let found = inRuns(flat) { return found }
    return withOffsets(flat)
  }

  // MARK: probes

  /// The books that fit one of `count` probes at least: a bit each.
  private func probes(
    _ view: LatticeView, _ direction: Direction, _ count: Int, length: Int = probeLength
  ) -> (hits: UInt32, shares: [Double]) {
    var (hits, said): (UInt32, Int) = (0, 0)
    var counts = [Int](repeating: 0, count: LatticeSearch.all.count)
    let (length, rows, columns) = (length, view.wholeRows, view.rowLength)
    guard direction == .row ? columns >= length && rows > 0 : rows >= length else { return (0, counts.map { _ in 0 }) }
    let searches = unsafe LatticeSearch.all.map { unsafe Optional($0.search) }
    let tops = unsafe LatticeSearch.all.map { unsafe Optional($0.tops) }
    // Where values say nothing others are asked.
    for index in 0..<(2 * count + 2) where said < count {
      let place = Self.scattered(index)
      let (row, column) =
        direction == .row
        ? (Int(place % UInt64(rows)), Int(place >> 20 % UInt64(columns / length)) * length)
        : (Int(place % UInt64(rows / length)) * length, Int(place >> 20 % UInt64(columns)))
      var says = false
      let bits = unsafe swzip_lattice_probe(
        view.type, searches, tops, UInt32(searches.count), view.at(row, column), direction == .row ? 1 : columns,
        UInt32(length), &says)
      guard says else { continue }
      said += 1
      hits |= bits
      for book in counts.indices where bits & LatticeSearch.within(book) != 0 { counts[book] += 1 }
    }
    // Of values that are zero most of the time longer runs may say something.
    guard said > 0 || length > Self.probeLength else {
      return probes(view, direction, count, length: Self.longProbeLength)
    }
    return (hits, counts.map { said == 0 ? 0 : Double($0) / Double(said) })
  }

  private static func scattered(_ index: Int) -> UInt64 {
    var x = (UInt64(index) + 1) &* 0x9E37_79B9_7F4A_7C15
    x ^= x >> 29
    x = x &* 0xBF58_476D_1CE4_E5B9
    return x ^ x >> 32
  }

  /// The book of most hits, the smaller one of several; nil where most probes of all directions fail.
  private func book(_ shares: [Double]) -> Int? {
    guard let best = shares.max(), best >= 0.7 else { return nil }
    return shares.firstIndex { $0 >= best - 0.1 }
  }

  // MARK: grids

  private func inRows() -> Found? {
    let (rows, columns) = (probes(view, .row, 16).shares, probes(view, .column, 16).shares)
    guard let number = book(zip(rows, columns).map { max($0, $1) }) else { return nil }
    let search = LatticeSearch.all[number]
    let (alongRows, alongColumns) = (rows[number] >= 0.7, columns[number] >= 0.7)
    var columnEnds = Array(1...view.rowLength)
    if alongRows {
      let lines = (0..<min(9, view.wholeRows)).map { index in
        let row = Int(Self.scattered(index + 100) % UInt64(view.wholeRows))
        return { (part: Range<Int>, exactly: Bool) in view.fit(search, row..<(row + 1), part, exactly: exactly) != nil }
      }
      guard let ends = cuts(view.rowLength, lines) else { return nil }
      columnEnds = ends
    }
    guard alongColumns else {
      return Found(search: search, rowLength: view.rowLength, columns: columnEnds, bands: Array(1...view.rows))
    }
    let lines = (0..<min(4, columnEnds.count)).map { index in
      let column = columnEnds.count <= 4 ? index : Int(Self.scattered(index + 200) % UInt64(columnEnds.count))
      let part = (column == 0 ? 0 : columnEnds[column - 1])..<columnEnds[column]
      return { (band: Range<Int>, exactly: Bool) in view.fit(search, band, part, exactly: exactly) != nil }
    }
    guard var bandEnds = cuts(view.wholeRows, lines) else { return nil }
    if bandEnds.last! < view.rows { bandEnds.append(view.rows) }
    return Found(search: search, rowLength: view.rowLength, columns: columnEnds, bands: bandEnds)
  }

  /// Runs of values that know nothing of rows.
  private func inRuns(_ flat: LatticeView) -> Found? {
    guard let number = book(probes(flat, .row, 16).shares) else { return nil }
    let search = LatticeSearch.all[number]
    return runs(flat, search) { flat.fit(search, 0..<1, $0, exactly: false) != nil }
  }

  /// Runs with a scale and an offset each.
  private func withOffsets(_ flat: LatticeView) -> Found? {
    var (said, hits) = (0, 0)
    for index in 0..<20 where said < 16 && (said < 1 || hits > 0) {
      let start = Int(Self.scattered(index + 500) % UInt64(flat.count / Self.probeLength)) * Self.probeLength
      var says = false
      if unsafe swzip_lattice_probe_pair(flat.type, flat.at(0, start), &says) { hits += 1 }
      if says { said += 1 }
    }
    guard said >= 8, hits * 10 >= said * 7 else { return nil }
    return runs(flat, nil, most: LatticePairs.mostRun) { LatticePairs.fits(flat, $0) }
  }

  /// The longest runs that fit.
  private func runs(
    _ flat: LatticeView, _ search: LatticeSearch?, most: Int = flatRow, _ fits: (Range<Int>) -> Bool
  ) -> Found? {
    var run = Self.probeLength
    while run < most, flat.count >= 4 * run {
      let next = 2 * run
      let tries = 16
      let hits = (0..<tries).count { index in
        let start = Int(Self.scattered(index + 300) % UInt64(flat.count / next)) * next
        return fits(start..<(start + next))
      }
      guard hits * 8 >= tries * 7 else { break }
      run = next
    }
    let isOfRows = view.rowLength % run == 0 && view.rowLength >= Self.probeLength * 4 && view.rows > 1
    let row = isOfRows ? view.rowLength : min(Self.flatRow, flat.count)
    let rows = (flat.count + row - 1) / row
    return Found(
      search: search, rowLength: row, columns: stride(from: run, to: row, by: run) + [row], bands: Array(1...rows))
  }

  private typealias Line = (_ part: Range<Int>, _ exactly: Bool) -> Bool

  /// Where the parts of `total` end within each of which one scale serves, on all lines; regular ones where those serve.
  private func cuts(_ total: Int, _ lines: [Line]) -> [Int]? {
    var ends: [Int] = []
    var start = 0
    while start < total {
      guard ends.count < Self.mostCuts, let end = reach(from: start, total, lines) else {
        return powersOfTwo(total, lines)
      }
      // Chance makes lines of values that are mostly zero longer than what they are.
      let power = 1 << (Int.bitWidth - 1 - end.leadingZeroBitCount)
      if ends.isEmpty, power >= Self.probeLength, 2 * power <= total,
        let regular = regular([power, 2 * power], total, lines, exactly: true)
      {
        return regular
      }
      ends.append(end)
      start = end
      if ends.count == 2 || ends.count == 8, let regular = regular(ends, total, lines) { return regular }
      if ends.count == 8, Self.isRagged(ends), let regular = powersOfTwo(total, lines) { return regular }
    }
    return Self.isRagged(ends) ? powersOfTwo(total, lines) ?? ends : ends
  }

  /// Whether no two of several parts are equally long.
  private static func isRagged(_ ends: [Int]) -> Bool {
    let lengths = zip([0] + ends, ends).map { $1 - $0 }
    return ends.count > 2 && Set(lengths).count == lengths.count
  }

  /// One part, or parts of a power of two, the longest that serve: as a rule that is what they are. Values that have no code among them
  /// make lines shorter than that, and values that are mostly zero longer.
  private func powersOfTwo(_ total: Int, _ lines: [Line]) -> [Int]? {
    if lines.allSatisfy({ $0(0..<total, false) }) { return [total] }
    var power = Self.longestPower
    while power >= Self.probeLength {
      if 2 * power <= total, let regular = regular([power, 2 * power], total, lines) { return regular }
      power /= 2
    }
    return nil
  }

  /// Parts of equal length behind the first, which may be what is left of one.
  private func regular(_ ends: [Int], _ total: Int, _ lines: [Line], exactly: Bool = false) -> [Int]? {
    let length = ends[1] - ends[0]
    guard ends[0] <= length, ends[1] <= total else { return nil }
    let all = stride(from: ends[0], to: total, by: length) + [total]
    let tries = 16
    let fits = (0..<tries).count { index in
      let part = Int(Self.scattered(index + 400) % UInt64(all.count))
      return lines[index % lines.count]((part == 0 ? 0 : all[part - 1])..<all[part], exactly)
    }
    return fits * 8 >= tries * 7 ? all : nil
  }

  /// How far one scale serves from `start` on. Chance makes that longer on a line, and an exception shorter.
  private func reach(from start: Int, _ total: Int, _ lines: [Line]) -> Int? {
    var reached: [Int] = []
    for line in lines {
      var (good, bad) = (start, total + 1)
      var step = min(Self.probeLength / 2, total - start)
      while good < total {
        let next = bad > total ? min(good + step, total) : (good + bad) / 2
        if next == good { break }
        if line(start..<next, true) {
          good = next
          step *= 2
        } else {
          bad = next
          if bad - good == 1 { break }
        }
      }
      if good > start { reached.append(good) }
    }
    guard 2 * reached.count > lines.count else { return nil }
    reached.sort()
    // Where several lines end, or else the first of them.
    return zip(reached, reached.dropFirst()).first { $0 == $1 }?.0 ?? reached[0]
  }
}
