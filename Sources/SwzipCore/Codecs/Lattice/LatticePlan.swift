internal import CSwzipKernels

/// How a segment of dequantised values is coded. Made where that is smaller than what other codecs make of it.
final class LatticePlan: CodecPlan {
  let lattice: Lattice
  let blockValues: Int
  private let width: Int
  private let digits: LatticeDigits
  private let inner: Inner

  private enum Inner {
    case symbols(SymbolsCoder)
    case float(FloatPlan)
  }

  /// Nil for other values. Cost: a few probes of ordinary ones; several passes over others, and memory of a byte for each.
  init?(_ segment: PlainSegment) throws(SwzipError) {
    guard !segment.type.isBlock,
      let view = unsafe LatticeView(segment.values, segment.type, rowLength: segment.range.rowLength),
      let (lattice, digits) = try Self.found(view, segment)
    else { return nil }
    (self.lattice, self.digits, width) = (lattice, digits, view.width)
    let (effort, scratch, rowLength) = (segment.effort, segment.scratch, segment.range.rowLength)
    if let type = lattice.book.elementType {
      let plan = try unsafe FloatPlan(
        digits.memory.prefix(view.count), kind: FloatKind(type, mantissaBits: 1)!, rowLength: rowLength, effort: effort,
        scratch: scratch)
      (inner, blockValues) = (.float(plan), plan.blockValues)
    } else {
      let perSymbol = lattice.book.codesPerSymbol
      let shape = SymbolsCoder.Shape(
        view.count, perSymbol: perSymbol, rowLength: rowLength, largest: effort.ransBlockValues(width: 1))
      var source = RansPlan.Source(
        count: lattice.book.symbolCount(of: view.count), blockValues: shape.blockValues / perSymbol
      ) { block in
        unsafe digits.load(from: block * shape.blockValues, shape.blockValues, lattice.book, into: scratch.symbols)
      }
      // What rows and columns differ in: codes without their signs.
      source.scores = SymbolsCoder.scores(lattice.book.codes.map { $0 & 0x7FFF_FFFF }, perSymbol: perSymbol)
      inner = .symbols(try SymbolsCoder(source, row: shape.row, effort: effort, scratch: scratch))
      blockValues = shape.blockValues
    }
    guard try isWorthIt(segment) else { return nil }
  }

  var coding: any Coding {
    switch inner {
    case .symbols(let coder):
      LatticeCoding(lattice, .symbols(coder.coder, rowLength: UInt32(coder.rowLength)))
    case .float(let plan): LatticeCoding(lattice, .float(plan.floatCoding))
    }
  }

  func bound(_ valueCount: Int) -> Int {
    let codes =
      switch inner {
      case .symbols: SymbolsCoder.bound(lattice.book.symbolCount(of: valueCount))
      case .float(let plan): plan.bound(valueCount)
      }
    return codes + LatticeBlock.patchBound(valueCount, width: width)
  }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    if let constant = BytesBlock.encodeConstant(block) { return constant }
    let (count, start) = unsafe (block.values.count / width, block.index * blockValues)
    let patches = digits.patches(from: start, count)
    guard patches.count <= count / 16, var payload = codes(of: block, from: start, count) else { return nil }
    LatticeBlock.add(patches.map { $0 - UInt32(start) }, of: block, to: &payload)
    return payload
  }

  private func codes(of block: PlainBlock, from start: Int, _ count: Int) -> BlockPayload? {
    switch inner {
    case .symbols(let coder):
      unsafe digits.load(from: start, count, lattice.book, into: block.scratch.symbols)
      return unsafe coder.encode(
        block: block.index, count: lattice.book.symbolCount(of: count), into: block.frame, scratch: block.scratch)
    case .float(let plan):
      let codes = unsafe UnsafeRawBufferPointer(rebasing: digits.memory.bytes[start..<(start + count)])
      let payload = unsafe plan.encode(
        PlainBlock(
          index: block.index, values: codes, width: 1, reference: nil, frame: block.frame, scratch: block.scratch,
          effort: block.effort))
      // Codes that are all the same: of another mode, which codec float has and this has not.
      return payload.flatMap { $0.mode == plan.floatCoding.coder.mode ? $0 : nil }
    }
  }

  // MARK: planning

  /// Of all values at most one in so many is patched.
  private static let leastPerPatch = 64

  private static func found(
    _ view: LatticeView, _ segment: PlainSegment
  ) throws(SwzipError) -> (Lattice, LatticeDigits)? {
    if let found = LatticeFinder(view: view).find(), let grid = found.grid(view.count) {
      let made =
        try found.search == nil
        ? withOffsets(view, found, grid, segment) : withScales(view, found, grid, segment)
      if let made { return made }
    }
    return try withConstant(view, segment)
  }

  private static func withScales(
    _ view: LatticeView, _ found: LatticeFinder.Found, _ grid: LatticeGrid, _ segment: PlainSegment
  ) throws(SwzipError) -> (Lattice, LatticeDigits)? {
    guard let search = found.search, let scales = LatticeScales(view, found, search) else { return nil }
    let (values, type) = scales.numbers()
    let plain = try LatticeNumbers.plain(
      values, as: type, rowLength: grid.columnEnds.count, effort: segment.effort, scratch: segment.scratch)
    var choices = [plain]
    if found.columns.first == 16,
      let products = try scales.products(view, run: 16, effort: segment.effort, scratch: segment.scratch),
      products.byteCount < plain.byteCount
    {
      choices.insert(products, at: 0)
    }
    for numbers in choices {
      let kinds = search.isIntegers ? [search.kind, LatticeSearch.integersAndMinusZero.kind] : [search.kind]
      for kind in kinds {
        if let made = try coded(view, segment, grid, numbers, .scale, kind) { return made }
      }
    }
    return nil
  }

  private static func withOffsets(
    _ view: LatticeView, _ found: LatticeFinder.Found, _ grid: LatticeGrid, _ segment: PlainSegment
  ) throws(SwzipError) -> (Lattice, LatticeDigits)? {
    // Numbers of groups past the end of a last row are not made.
    guard view.count % found.rowLength == 0,
      let flat = unsafe LatticeView(view.values, view.elementType, rowLength: 0),
      let numbers = try LatticePairs(flat, run: found.columns[0]).numbers(
        rowLength: view.rowLength, effort: segment.effort, scratch: segment.scratch)
    else { return nil }
    return try coded(
      view, segment, grid, numbers.scales, .offset(numbers.offsets),
      .integers(first: 0, count: Int(numbers.most) + 1, hasMinusZero: false))
  }

  private static func withConstant(
    _ view: LatticeView, _ segment: PlainSegment
  ) throws(SwzipError) -> (Lattice, LatticeDigits)? {
    guard let scales = LatticeConstant.scales(view),
      let grid = LatticeGrid(
        rowLength: UInt64(view.rowLength), columns: LatticeGrid.runs([view.rowLength]),
        bands: [LatticeGrid.Run(length: 1, count: UInt64(view.rows))], valueCount: UInt64(view.count))
    else { return nil }
    let numbers = try LatticeNumbers.plain(
      scales, as: .f16, rowLength: 0, effort: segment.effort, scratch: segment.scratch)
    return try coded(view, segment, grid, numbers, .constant(LatticeConstant.constant), LatticeConstant.kind)
  }

  /// The codes of all values; nil if many have none.
  private static func coded(
    _ view: LatticeView, _ segment: PlainSegment, _ grid: LatticeGrid, _ scales: LatticeNumbers, _ model: Lattice.Model,
    _ kind: LatticeBook.Kind
  ) throws(SwzipError) -> (Lattice, LatticeDigits)? {
    func lattice(_ kind: LatticeBook.Kind) -> Lattice {
      Lattice(type: view.type, book: LatticeBook(kind), grid: grid, scales: scales, model: model)
    }
    let whole = lattice(kind)
    // Bounds of values near the largest of F32, or of F16, may leave no number.
    guard whole.hasFiniteNumbers else { return nil }
    let digits = try LatticeDigits(view, whole, segment.scratch)
    guard digits.patchCount * leastPerPatch <= view.count, let used = digits.reduce(whole.book) else { return nil }
    return (lattice(used), digits)
  }

  /// Bytes of the part on which other codecs are tried.
  private static let triedBytes = 1 << 16

  /// Whether the segment takes less than by another codec, by what a part from its middle takes there.
  private func isWorthIt(_ segment: PlainSegment) throws(SwzipError) -> Bool {
    let width = segment.type.width
    let row = max(segment.range.rowLength, 1) * width
    let whole = unsafe segment.values.count
    let byteCount = min(whole, row <= Self.triedBytes ? Self.triedBytes / row * row : Self.triedBytes)
    let start = (whole - byteCount) / 2 / row * row
    var range = segment.range
    range.byteCount = byteCount
    let part = unsafe PlainSegment(
      range: range, type: segment.type,
      values: UnsafeRawBufferPointer(rebasing: segment.values[start..<(start + byteCount)]),
      base: nil, effort: segment.effort, scratch: segment.scratch)
    let other = try Self.byteCount(CodecRegistry.withoutLattice.plan(part), part, 0..<byteCount)
    let first = start / width / blockValues * blockValues * width
    let mine = try Self.byteCount(self, segment, first..<min(whole, first + blockValues * width))
    return mine * Double(whole) + Double(lattice.byteCountOfNumbers) < other * Double(whole)
  }

  /// Bytes for each byte of some blocks.
  private static func byteCount(
    _ plan: any CodecPlan, _ segment: PlainSegment, _ range: Range<Int>
  ) throws(SwzipError) -> Double {
    let width = segment.type.width
    let frame = try Memory(max(32 + range.count + 64, plan.bound(plan.blockValues)) + Limits.slack)
    var total = 0
    for start in stride(from: range.lowerBound, to: range.upperBound, by: plan.blockValues * width) {
      let end = min(start + plan.blockValues * width, range.upperBound)
      let block = unsafe PlainBlock(
        index: start / (plan.blockValues * width),
        values: UnsafeRawBufferPointer(rebasing: segment.values[start..<end]),
        width: width, reference: nil, frame: frame.bytes, scratch: segment.scratch, effort: segment.effort)
      total += (plan.encode(block) ?? BytesBlock.encode(block)).byteCount
    }
    return Double(total) / Double(range.count)
  }
}
