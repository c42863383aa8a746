internal import CSwzipKernels

/// A book whose codes are looked for in values.
@safe final class LatticeSearch: @unchecked Sendable {  // not changed after init
  /// How what is found is written; of integers those that occur.
  let kind: LatticeBook.Kind
  let search: UnsafePointer<swzip_lattice_search>
  let tops: UnsafePointer<swzip_lattice_tops>

  private init(_ kind: LatticeBook.Kind, most: UInt32 = 0) {
    self.kind = kind
    // Kept for the life of the process: a few kilobytes for each book.
    let search = UnsafeMutablePointer<swzip_lattice_search>.allocate(capacity: 1)
    let tops = UnsafeMutablePointer<swzip_lattice_tops>.allocate(capacity: 1)
    var book = LatticeBook(kind).kernel
    unsafe swzip_lattice_search_make(&book, search)
    unsafe swzip_lattice_tops_make(LatticeBook.kernelKind(kind), most, tops)
    unsafe (self.search, self.tops) = (UnsafePointer(search), UnsafePointer(tops))
  }

  private static let allIntegers = LatticeBook.Kind.integers(first: -128, count: 256, hasMinusZero: false)

  /// The one of fewest codes first: what several explain is that one's.
  static let all = [
    LatticeSearch(.e2m1), LatticeSearch(.nf4), LatticeSearch(.iq4NL), LatticeSearch(allIntegers, most: 16),
    LatticeSearch(allIntegers, most: 128), LatticeSearch(.e4m3), LatticeSearch(.e5m2),
  ]
  /// The books whose codes are all in that one: a bit each.
  static func within(_ book: Int) -> UInt32 { book == 4 ? 1 << 3 | 1 << 4 : 1 << UInt32(book) }
  /// Integers, of which the code of -0 is one.
  static let integersAndMinusZero = LatticeSearch(.integers(first: -127, count: 256, hasMinusZero: true), most: 127)

  var isIntegers: Bool { if case .integers = kind { true } else { false } }
}

/// Values as rows, of which groups are fitted.
@safe struct LatticeView {
  let values: UnsafeRawBufferPointer
  let type: swzip_lattice_type
  let elementType: ElementType
  let width: Int
  let rowLength: Int
  let count: Int

  /// `rowLength`: 0 for one row of all.
  init?(_ values: UnsafeRawBufferPointer, _ type: ElementType, rowLength: Int) {
    guard let kernel = Lattice.kernelType(type), values.count >= type.width else { return nil }
    unsafe self.values = values
    (self.type, elementType, width) = (kernel, type, type.width)
    count = values.count / type.width
    self.rowLength = rowLength == 0 ? count : min(rowLength, count)
  }

  /// The last one may be shorter.
  var rows: Int { (count + rowLength - 1) / rowLength }
  var wholeRows: Int { count / rowLength }

  func at(_ row: Int, _ column: Int) -> UnsafeRawPointer {
    unsafe values.baseAddress! + (row * rowLength + column) * width
  }

  /// Fits the group of those rows and columns; nil where it has no scale. One without values has any.
  func fit(
    _ search: LatticeSearch, _ rows: Range<Int>, _ columns: Range<Int>, exactly: Bool, hint: UInt32 = 0
  ) -> swzip_lattice_fit? {
    var (rows, columns) = (rows, columns)
    if rows.upperBound * rowLength > count {
      // Of a last row that is shorter only its own columns; of several rows only the whole ones.
      if rows.count == 1 {
        let end = min(columns.upperBound, count - rows.lowerBound * rowLength)
        columns = min(columns.lowerBound, end)..<end
      } else {
        rows = rows.lowerBound..<min(rows.upperBound, wholeRows)
      }
    }
    var fit = swzip_lattice_fit()
    fit.high = .infinity
    guard !rows.isEmpty, !columns.isEmpty else { return fit }
    let found = unsafe swzip_lattice_fit_group(
      type, search.search, search.tops, at(rows.lowerBound, columns.lowerBound), UInt32(rows.count), rowLength,
      UInt32(columns.count), hint, exactly, &fit)
    return found ? fit : nil
  }
}
