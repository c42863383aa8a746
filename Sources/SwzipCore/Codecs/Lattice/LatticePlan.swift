internal import CSwzipKernels

/// How a segment of dequantised values is coded. Made where that is smaller than what other codecs make of it.
final class LatticePlan: CodecPlan {
  let lattice: Lattice
  let symbols: SymbolsCoder
  let blockValues: Int
  private let width: Int
  private let search: Memory

  /// Nil for other values. Cost: a few probes of ordinary ones; several passes over others.
  init?(_ segment: PlainSegment) throws(SwzipError) {
    guard !segment.type.isBlock,
      let view = unsafe LatticeView(segment.values, segment.type, rowLength: segment.range.rowLength),
      let found = LatticeFinder(view: view).find(), let scales = LatticeScales(view, found),
      let lattice = try Self.lattice(view, found, scales, segment)
    else { return nil }
    self.lattice = lattice
    width = view.width
    let search = try Self.search(lattice.book)
    self.search = search
    let perSymbol = lattice.book.codesPerSymbol
    let shape = SymbolsCoder.Shape(
      view.count, perSymbol: perSymbol, rowLength: segment.range.rowLength,
      largest: segment.effort.ransBlockValues(width: 1))
    blockValues = shape.blockValues
    let values = unsafe segment.values
    let (scratch, blockValues) = (segment.scratch, shape.blockValues)
    var source = RansPlan.Source(
      count: lattice.book.symbolCount(of: view.count), blockValues: blockValues / perSymbol
    ) { block in
      let start = block * blockValues
      let end = min(view.count, start + blockValues)
      _ = unsafe Self.load(
        UnsafeRawBufferPointer(rebasing: values[(start * view.width)..<(end * view.width)]), from: start, lattice, search,
        scratch: scratch)
    }
    source.scores = Self.scores(lattice.book)
    symbols = try SymbolsCoder(source, row: shape.row, effort: segment.effort, scratch: scratch)
    guard try isWorthIt(segment) else { return nil }
  }

  var coding: any Coding { LatticeCoding(lattice, symbols.coder, rowLength: UInt32(symbols.rowLength)) }

  func bound(_ valueCount: Int) -> Int { LatticeBlock.bound(valueCount, lattice.book, width: width) }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    if let constant = BytesBlock.encodeConstant(block) { return constant }
    return LatticeBlock.encode(block, by: self)
  }

  /// Writes the symbols of a block into the scratch, and to its `missing` where patches must be; returns how many these are.
  func load(_ values: UnsafeRawBufferPointer, block: Int, scratch: EncodeScratch) -> Int {
    unsafe Self.load(values, from: block * blockValues, lattice, search, scratch: scratch)
  }

  private static func load(
    _ values: UnsafeRawBufferPointer, from start: Int, _ lattice: Lattice, _ search: Memory, scratch: EncodeScratch
  ) -> Int {
    let count = UInt32(values.count / (lattice.type.rawValue == SWZIP_LATTICE_F32.rawValue ? 4 : 2))
    let missing = unsafe lattice.withKernel {
      unsafe swzip_lattice_digits(
        $0, search.base.assumingMemoryBound(to: swzip_lattice_search.self), values.baseAddress!, UInt64(start), count,
        scratch.symbols, scratch.plane(0), scratch.missing, UInt32(EncodeScratch.missingCapacity))
    }
    var book = lattice.book.kernel
    _ = unsafe swzip_lattice_join(scratch.symbols, count, &book)
    return Int(missing)
  }

  private static func search(_ book: LatticeBook) throws(SwzipError) -> Memory {
    let search = try Memory(MemoryLayout<swzip_lattice_search>.stride)
    var book = book.kernel
    unsafe swzip_lattice_search_make(&book, search.base.assumingMemoryBound(to: swzip_lattice_search.self))
    return search
  }

  // MARK: planning

  /// Of all values at most one in so many is patched.
  private static let leastPerPatch = 64

  private static func lattice(
    _ view: LatticeView, _ found: LatticeFinder.Found, _ scales: LatticeScales, _ segment: PlainSegment
  ) throws(SwzipError) -> Lattice? {
    guard
      let grid = LatticeGrid(
        rowLength: UInt64(found.rowLength), columns: LatticeGrid.runs(found.columns), bands: LatticeGrid.runs(found.bands),
        valueCount: UInt64(view.count))
    else { return nil }
    let (values, type) = scales.numbers()
    let numbers = try LatticeNumbers.plain(
      values, as: type, rowLength: grid.columnEnds.count, effort: segment.effort, scratch: segment.scratch)
    func lattice(_ kind: LatticeBook.Kind) -> Lattice {
      Lattice(type: view.type, book: LatticeBook(kind), grid: grid, scales: numbers, model: .scale)
    }
    guard found.search.isIntegers else { return lattice(found.search.kind) }
    // Integers: those that occur, with -0 where that occurs.
    for (kind, hasMinusZero) in [(LatticeSearch.all[3].kind, false), (LatticeSearch.integersAndMinusZero.kind, true)] {
      guard
        let used = try Self.used(view, lattice(kind), segment.scratch), used.misses * leastPerPatch <= view.count
      else { continue }
      let first = if case .integers(let first, _, _) = kind { Int(first) } else { 0 }
      let count = max(2, used.digits.count + (hasMinusZero ? 1 : 0))
      return lattice(
        .integers(first: Int16(first + used.digits.lowerBound), count: count, hasMinusZero: hasMinusZero))
    }
    return nil
  }

  /// The digits of the integers that values have, and how many values have none.
  private static func used(
    _ view: LatticeView, _ lattice: Lattice, _ scratch: EncodeScratch
  ) throws(SwzipError) -> (digits: Range<Int>, misses: Int)? {
    let search = try search(lattice.book)
    let counts = unsafe scratch.clearedCounts()
    var misses = 0
    let step = Limits.writtenBlockValues(width: 4)
    for start in stride(from: 0, to: view.count, by: step) {
      let end = min(view.count, start + step)
      misses += unsafe load(
        UnsafeRawBufferPointer(rebasing: view.values[(start * view.width)..<(end * view.width)]), from: start, lattice,
        search, scratch: scratch)
      unsafe swzip_histogram_add(scratch.symbols, end - start, 1, counts)
    }
    var last = 255
    if case .integers(_, _, true) = lattice.book.kind { last = 254 }
    let digits = (0...last).filter { unsafe counts[$0] > 0 }
    guard let first = digits.first else { return nil }
    return (first..<(digits.last! + 1), misses)
  }

  /// The size of each symbol's codes without their signs: what rows and columns differ in.
  private static func scores(_ book: LatticeBook) -> [UInt8] {
    let sizes = book.codes.map { Float(bitPattern: $0 & 0x7FFF_FFFF) }
    let ranks = sizes.map { size in sizes.reduce(0) { $0 + ($1 < size ? 1 : 0) } }
    return (0..<256).map { symbol in
      var (rest, sum) = (symbol, 0)
      for _ in 0..<book.codesPerSymbol {
        sum += ranks[rest % ranks.count]
        rest /= ranks.count
      }
      return UInt8(min(255, book.codesPerSymbol == 1 ? sum : 16 * sum / book.codesPerSymbol))
    }
  }

  /// Whether a block from the middle, with its share of the numbers, takes less than by another codec.
  private func isWorthIt(_ segment: PlainSegment) throws(SwzipError) -> Bool {
    let other = try CodecRegistry.withoutLattice.plan(segment)
    let mine = try Self.byteCount(self, segment)
    let least = try Self.byteCount(other, segment)
    let numbers = lattice.scales.byteCount
    return mine + Double(numbers) < least
  }

  /// Of the segment, scaled from a block.
  private static func byteCount(_ plan: any CodecPlan, _ segment: PlainSegment) throws(SwzipError) -> Double {
    let width = segment.type.width
    let count = unsafe segment.values.count / width
    let index = count / plan.blockValues / 2
    let start = index * plan.blockValues
    let end = min(count, start + plan.blockValues)
    let values = unsafe UnsafeRawBufferPointer(rebasing: segment.values[(start * width)..<(end * width)])
    let frame = try Memory(max(32 + values.count + 64, plan.bound(end - start)) + Limits.slack)
    let block = unsafe PlainBlock(
      index: index, values: values, width: width, reference: nil, frame: frame.bytes, scratch: segment.scratch,
      effort: segment.effort)
    let payload = plan.encode(block) ?? BytesBlock.encode(block)
    return Double(payload.byteCount) * Double(count) / Double(end - start)
  }
}
