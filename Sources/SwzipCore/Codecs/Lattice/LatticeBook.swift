internal import CSwzipKernels

/// The codes that values are multiples of (spec/codecs/lattice.md), and how many of them a symbol stands for.
struct LatticeBook: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    case list([UInt32])
    /// From `first` on, so many; with `hasMinusZero` the last of them is −0.
    case integers(first: Int16, count: Int, hasMinusZero: Bool)
    case e4m3, e5m2, e2m1, nf4, iq4NL
  }

  let kind: Kind
  /// 0 where codes are coded as values of `elementType`.
  let codesPerSymbol: Int
  /// The bits of the codes, F32.
  let codes: [UInt32]

  static let mostCodes = 256
  static let mostPerSymbol = 8
  private static let mostInteger = 256

  /// As many codes a symbol as there can be; those of a float type as values.
  init(_ kind: Kind) {
    guard Self.elementType(of: kind) == nil else {
      self.init(kind, codesPerSymbol: 0)
      return
    }
    let count = Self.codes(of: kind).count
    var (perSymbol, symbols) = (1, count)
    while perSymbol < Self.mostPerSymbol, symbols * count <= Self.mostCodes {
      symbols *= count
      perSymbol += 1
    }
    self.init(kind, codesPerSymbol: perSymbol)
  }

  private init(_ kind: Kind, codesPerSymbol: Int) {
    self.kind = kind
    self.codesPerSymbol = codesPerSymbol
    codes = Self.codes(of: kind)
  }

  /// The type that the codes are values of.
  var elementType: ElementType? { Self.elementType(of: kind) }
  private static func elementType(of kind: Kind) -> ElementType? {
    switch kind {
    case .e4m3: .f8e4m3
    case .e5m2: .f8e5m2
    default: nil
    }
  }

  /// Some number above 256 where there are more.
  var symbolCount: Int { (0..<codesPerSymbol).reduce(1) { product, _ in min(product, 257) * codes.count } }
  func symbolCount(of valueCount: Int) -> Int { (valueCount + max(codesPerSymbol, 1) - 1) / max(codesPerSymbol, 1) }

  /// As kernels take it.
  var kernel: swzip_lattice_book {
    var book = swzip_lattice_book()
    book.count = UInt32(codes.count)
    book.per_symbol = UInt32(max(codesPerSymbol, 1))
    // The tuple is an array of C.
    unsafe withUnsafeMutableBytes(of: &book.code) { room in
      for (index, code) in codes.enumerated() {
        unsafe room.storeBytes(of: code, toByteOffset: 4 * index, as: UInt32.self)
      }
    }
    return book
  }

  private static func codes(of kind: Kind) -> [UInt32] {
    switch kind {
    case .list(let codes): return codes
    case .integers(let first, let count, let hasMinusZero):
      let integers = (0..<(count - (hasMinusZero ? 1 : 0))).map { Float(Int(first) + $0).bitPattern }
      return hasMinusZero ? integers + [(-Float(0)).bitPattern] : integers
    default:
      var book = swzip_lattice_book()
      unsafe swzip_lattice_book_make(kernelKind(kind), &book)
      return unsafe withUnsafeBytes(of: &book.code) { room in
        (0..<Int(book.count)).map { unsafe room.load(fromByteOffset: 4 * $0, as: UInt32.self) }
      }
    }
  }

  static func kernelKind(_ kind: Kind) -> swzip_lattice_book_kind {
    switch kind {
    case .list: SWZIP_BOOK_LIST
    case .integers: SWZIP_BOOK_INTEGERS
    case .e4m3: SWZIP_BOOK_E4M3
    case .e5m2: SWZIP_BOOK_E5M2
    case .e2m1: SWZIP_BOOK_E2M1
    case .nf4: SWZIP_BOOK_NF4
    case .iq4NL: SWZIP_BOOK_IQ4_NL
    }
  }

  // MARK: wire

  /// Those from number 2 on.
  private static let named: [Kind] = [.e4m3, .e5m2, .e2m1, .nf4, .iq4NL]

  /// Number and codes a symbol.
  func writeHead(_ writer: inout ByteWriter) {
    writer.integer(UInt8(Self.kernelKind(kind).rawValue))
    writer.integer(UInt8(codesPerSymbol))
  }

  func writeCodes(_ writer: inout ByteWriter) {
    switch kind {
    case .list(let codes):
      writer.integer(UInt16(codes.count))
      for code in codes { writer.integer(code) }
    case .integers(let first, let count, let hasMinusZero):
      writer.integer(first)
      writer.integer(UInt16(count))
      writer.integer(UInt8(hasMinusZero ? 1 : 0))
    default: break
    }
  }

  static func read(_ reader: inout ByteReader) throws(SwzipError) -> LatticeBook {
    let number = try reader.integer(UInt8.self)
    let perSymbol = Int(try reader.integer(UInt8.self))
    let failure = reader.failure(.limit)
    let kind: Kind
    switch number {
    case 0:
      let count = Int(try reader.integer(UInt16.self))
      guard (2...mostCodes).contains(count) else { throw failure }
      var codes: [UInt32] = []
      for _ in 0..<count { codes.append(try reader.integer(UInt32.self)) }
      guard codes.allSatisfy({ Float(bitPattern: $0).isFinite }) else { throw failure }
      kind = .list(codes)
    case 1:
      let first = try reader.integer(Int16.self)
      let count = Int(try reader.integer(UInt16.self))
      let minusZero = try reader.integer(UInt8.self)
      guard (2...mostCodes).contains(count), minusZero <= 1, first >= -mostInteger,
        Int(first) + count - Int(minusZero) <= mostInteger + 1
      else { throw failure }
      kind = .integers(first: first, count: count, hasMinusZero: minusZero == 1)
    case 2..<(2 + UInt8(named.count)): kind = named[Int(number) - 2]
    default: throw reader.failure(.reservedBits, .unsupported)
    }
    let book = LatticeBook(kind, codesPerSymbol: perSymbol)
    guard perSymbol <= mostPerSymbol, perSymbol > 0 || book.elementType != nil, book.symbolCount <= mostCodes else {
      throw failure
    }
    return book
  }
}
