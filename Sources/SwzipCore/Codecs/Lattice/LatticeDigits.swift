internal import CSwzipKernels

/// The codes of a segment's values, as their numbers in the book, and where values are that have none.
@safe final class LatticeDigits {
  /// A byte for each value.
  let memory: Memory
  private let count: Int
  private var positions: [UInt32] = []

  /// Looks for the codes of all values.
  init(_ view: LatticeView, _ lattice: Lattice, _ scratch: EncodeScratch) throws(SwzipError) {
    count = view.count
    memory = try Memory(view.count + Limits.slack)
    let search = try Memory(MemoryLayout<swzip_lattice_search>.stride)
    let kernel = unsafe search.base.assumingMemoryBound(to: swzip_lattice_search.self)
    var book = lattice.book.kernel
    unsafe swzip_lattice_search_make(&book, kernel)
    let digits = unsafe memory.base.assumingMemoryBound(to: UInt8.self)
    let step = Limits.writtenBlockValues(width: 4)
    for start in stride(from: 0, to: view.count, by: step) {
      let part = min(step, view.count - start)
      let missing = unsafe lattice.withKernel {
        unsafe swzip_lattice_digits(
          $0, kernel, view.values.baseAddress! + start * view.width, UInt64(start), UInt32(part), digits + start,
          scratch.plane(0), scratch.missing, UInt32(EncodeScratch.missingCapacity))
      }
      // Of more than can be patched how many is enough.
      let kept = min(Int(missing), EncodeScratch.missingCapacity)
      for index in 0..<kept { unsafe positions.append(UInt32(start) + scratch.missing[index]) }
      positions.append(contentsOf: repeatElement(UInt32(start), count: Int(missing) - kept))
    }
  }

  var patchCount: Int { positions.count }

  /// Positions of the values without a code among so many from `start` on.
  func patches(from start: Int, _ count: Int) -> ArraySlice<UInt32> {
    let first = positions.partitioningIndex { $0 >= start }
    let last = positions[first...].partitioningIndex { $0 >= start + count }
    return positions[first..<last]
  }

  /// Writes the symbols of at most `most` values from `start` on.
  func load(from start: Int, _ most: Int, _ book: LatticeBook, into symbols: UnsafeMutablePointer<UInt8>) {
    let part = min(most, count - start)
    unsafe symbols.update(from: memory.base.assumingMemoryBound(to: UInt8.self) + start, count: part)
    var kernel = book.kernel
    _ = unsafe swzip_lattice_join(symbols, UInt32(part), &kernel)
  }

  /// The book of the codes that occur, where that is smaller, and has the numbers be its own. Nil where none occurs.
  func reduce(_ book: LatticeBook) -> LatticeBook.Kind? {
    guard book.elementType == nil else { return book.kind }
    var counts = [UInt32](repeating: 0, count: 256)
    let digits = unsafe memory.base.assumingMemoryBound(to: UInt8.self)
    unsafe swzip_histogram_add(digits, count, 1, &counts)
    let used = book.codes.indices.filter { counts[$0] > 0 }
    guard let first = used.first, var last = used.last else { return nil }
    if case .integers(let least, let all, let hasMinusZero) = book.kind {
      if hasMinusZero {
        last = used.last { $0 < all - 1 } ?? first
        renumber { $0 == UInt8(all - 1) ? UInt8(last - first + 1) : $0 &- UInt8(first) }
      } else if first > 0 {
        renumber { $0 &- UInt8(first) }
      }
      let integers = last - first + 1
      return .integers(
        first: Int16(Int(least) + first), count: max(2, integers + (hasMinusZero ? 1 : 0)), hasMinusZero: hasMinusZero)
    }
    let codes = used.map { book.codes[$0] }
    let list = LatticeBook(.list(codes.count > 1 ? codes : codes + codes))
    guard list.codesPerSymbol > book.codesPerSymbol else { return book.kind }
    var numbers = [UInt8](repeating: 0, count: 256)
    for (number, digit) in used.enumerated() { numbers[digit] = UInt8(number) }
    renumber { numbers[Int($0)] }
    return list.kind
  }

  private func renumber(_ new: (UInt8) -> UInt8) {
    let map = (0..<256).map { new(UInt8($0)) }
    let digits = unsafe memory.base.assumingMemoryBound(to: UInt8.self)
    unsafe map.withUnsafeBufferPointer { map in
      for index in 0..<count { unsafe digits[index] = map[Int(digits[index])] }
    }
  }
}
