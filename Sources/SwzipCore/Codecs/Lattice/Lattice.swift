internal import CSwzipKernels

/// What the values of a segment are made of: book, grid and scales (spec/codecs/lattice.md).
struct Lattice: Equatable, Sendable {
  enum Model: Equatable, Sendable {
    case scale
    case offset(LatticeNumbers)
    case constant(Float)
  }

  let type: swzip_lattice_type
  let book: LatticeBook
  let grid: LatticeGrid
  let scales: LatticeNumbers
  let model: Model

  static func == (a: Self, b: Self) -> Bool {
    a.type.rawValue == b.type.rawValue && a.book == b.book && a.grid == b.grid && a.scales == b.scales
      && a.model == b.model
  }

  /// Nil for types that codec lattice does not code.
  static func kernelType(_ type: ElementType) -> swzip_lattice_type? {
    switch type {
    case .bf16: SWZIP_LATTICE_BF16
    case .f16: SWZIP_LATTICE_F16
    case .f32: SWZIP_LATTICE_F32
    default: nil
    }
  }

  /// Bytes that the numbers of groups take in memory, and where groups end.
  var byteCount: Int {
    let numbers = if case .offset = model { 2 } else { 1 }
    return 4 * (numbers * grid.groupCount + grid.columnEnds.count + grid.bandEnds.count)
  }

  /// Whether all numbers of groups are what a reader takes.
  var hasFiniteNumbers: Bool {
    let offsets = if case .offset(let numbers) = model { numbers.values } else { [Float]() }
    return scales.values.allSatisfy(\.isFinite) && offsets.allSatisfy(\.isFinite)
  }

  /// Bytes that they take in the segment frame.
  var byteCountOfNumbers: Int {
    let offsets = if case .offset(let numbers) = model { numbers.byteCount } else { 0 }
    return scales.byteCount + offsets
  }

  // MARK: kernels

  static let entriesByteCount = 4 * Int(SWZIP_LATTICE_ENTRIES)

  /// For each symbol its codes.
  func writeEntries(to entries: UnsafeMutablePointer<Float>) {
    var book = book.kernel
    unsafe swzip_lattice_entries(&book, entries)
  }

  /// As kernels take it, while `body` runs.
  func withKernel<Result>(_ body: (UnsafePointer<swzip_lattice>) -> Result) -> Result {
    var offsets: [Float] = []
    var constant: Float = 0
    switch model {
    case .scale: break
    case .offset(let numbers): offsets = numbers.values
    case .constant(let value): constant = value
    }
    return unsafe grid.columnEnds.withUnsafeBufferPointer { columns in
      unsafe grid.bandEnds.withUnsafeBufferPointer { bands in
        unsafe scales.values.withUnsafeBufferPointer { scales in
          unsafe offsets.withUnsafeBufferPointer { offsets in
            var lattice = unsafe swzip_lattice(
              type: type, row_length: grid.rowLength, column_count: UInt32(columns.count),
              band_count: UInt32(bands.count), column_end: columns.baseAddress, band_end: bands.baseAddress,
              scale: scales.baseAddress, offset: offsets.isEmpty ? nil : offsets.baseAddress, constant: constant)
            return unsafe body(&lattice)
          }
        }
      }
    }
  }

  // MARK: wire

  func write(_ writer: inout ByteWriter) {
    let number: UInt8 =
      switch model {
      case .scale: 0
      case .offset: 1
      case .constant: 2
      }
    writer.integer(number)
    book.writeHead(&writer)
    book.writeCodes(&writer)
    if case .constant(let value) = model { writer.integer(value.bitPattern) }
    grid.write(&writer)
    scales.write(&writer)
    if case .offset(let numbers) = model { numbers.write(&writer) }
  }

  static func read(
    _ reader: inout ByteReader, type: swzip_lattice_type, valueCount: UInt64
  ) throws(SwzipError) -> Lattice {
    let number = try reader.integer(UInt8.self)
    guard number <= 2 else { throw reader.failure(.reservedBits, .unsupported) }
    let book = try LatticeBook.read(&reader)
    var model = Model.scale
    if number == 2 {
      let constant = Float(bitPattern: try reader.integer(UInt32.self))
      guard constant.isFinite, constant != 0 else { throw reader.failure(.limit) }
      model = .constant(constant)
    }
    let grid = try LatticeGrid.read(&reader, valueCount: valueCount)
    let scales = try LatticeNumbers.read(&reader, count: grid.groupCount)
    if number == 1 { model = .offset(try LatticeNumbers.read(&reader, count: grid.groupCount)) }
    return Lattice(type: type, book: book, grid: grid, scales: scales, model: model)
  }
}
