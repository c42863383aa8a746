package import CSwzipKernels

/// The planes that an encoder or decoder takes in the scratch of a thread, by name, in the order in which they lie: each has
/// room for a byte of each value of a block, in whole units.
package protocol ScratchArea: RawRepresentable<Int> {}

/// What encoding blocks needs besides input and output. One object a thread, reused for every block.
package final class EncodeScratch {
  package static let missingCapacity = Limits.largestWrittenBlock / 16 + 64

  package let compressors: Compressors
  private let symbolMemory: Memory
  private let sortedMemory: Memory
  private let planeMemory: Memory
  private let countMemory: Memory
  private let listMemory: Memory
  private let tableMemory: Memory
  private let sampleMemory: Memory
  private let sparseMemory: Memory
  private let swapMemory: Memory
  private let roomMemory: Memory
  private let treeMemory: Memory
  /// Room for `FloatPlan.mostGroups` histograms.
  let histograms: Memory

  private let planeStride: Int

  /// Room for blocks of up to `blockValues` values.
  package init(blockValues: Int = Limits.largestWrittenBlock) throws(SwzipError) {
    compressors = Compressors()
    planeStride = blockValues + 512
    symbolMemory = try Memory(planeStride)
    sortedMemory = try Memory(planeStride)
    planeMemory = try Memory(8 * planeStride)
    countMemory = try Memory(4 * 1024)
    listMemory = try Memory(4 * (Self.missingCapacity + 4 * Limits.largestWrittenBlock / 32))
    tableMemory = try Memory(MemoryLayout<swzip_encode_table>.stride)
    sampleMemory = try Memory(16384)
    sparseMemory = try Memory(Self.maskBytes + 4 * planeStride)
    swapMemory = try Memory(8 * planeStride)
    roomMemory = try Memory(NodeLists.room(max(blockValues, Limits.recordBlockBytes)))
    treeMemory = try Memory(MemoryLayout<swzip_node_tree>.stride)
    histograms = try Memory(1024 * FloatPlan.mostGroups)
  }

  /// Symbols in natural order, whole units.
  package var symbols: UnsafeMutablePointer<UInt8> { unsafe symbolMemory.base.assumingMemoryBound(to: UInt8.self) }
  /// Symbols in coded order.
  package var sorted: UnsafeMutablePointer<UInt8> { unsafe sortedMemory.base.assumingMemoryBound(to: UInt8.self) }
  package func plane(_ index: Int) -> UnsafeMutablePointer<UInt8> {
    unsafe (planeMemory.base + index * planeStride).assumingMemoryBound(to: UInt8.self)
  }
  func area(_ area: some ScratchArea) -> UnsafeMutablePointer<UInt8> { unsafe plane(area.rawValue) }
  /// Room for the words of a block, behind the planes that those have who code symbols by rANS.
  var words: UnsafeMutablePointer<UInt8> { unsafe plane(4) }
  /// Room for two lists of a group of a block, behind the planes that its parts take.
  var nodeRoom: UnsafeMutablePointer<UInt8> { unsafe plane(4) }
  /// Room for two lists of a plane, beside all planes.
  var listRoom: UnsafeMutablePointer<UInt8> { unsafe roomMemory.base.assumingMemoryBound(to: UInt8.self) }
  package func planes(_ count: Int) -> [UnsafeMutablePointer<UInt8>?] { unsafe (0..<count).map { unsafe plane($0) } }
  /// Room for all planes of a block: those of eight bytes a value fit, and those of `Limits.recordBlockBytes`.
  package func planeArea(_ byteCount: Int) -> UnsafeMutablePointer<UInt8> {
    precondition(byteCount <= planeMemory.byteCount)
    return unsafe plane(0)
  }
  package var missing: UnsafeMutablePointer<UInt32> { unsafe listMemory.base.assumingMemoryBound(to: UInt32.self) }
  package var rowSums: UnsafeMutablePointer<UInt32> { unsafe missing + Self.missingCapacity }
  package var naturalRows: UnsafeMutablePointer<UInt32> { unsafe rowSums + Limits.largestWrittenBlock / 32 }
  package var inlineTable: UnsafeMutablePointer<swzip_encode_table> {
    unsafe tableMemory.base.assumingMemoryBound(to: swzip_encode_table.self)
  }
  var inlineTree: UnsafeMutablePointer<swzip_node_tree> {
    unsafe treeMemory.base.assumingMemoryBound(to: swzip_node_tree.self)
  }
  package var sampleTarget: UnsafeMutableRawBufferPointer { unsafe sampleMemory.bytes }

  private static let maskBytes = (Limits.largestWrittenBlock / 8 + 63 + 256) & ~63
  /// A bit for each value of a block.
  var mask: UnsafeMutablePointer<UInt8> { unsafe sparseMemory.base.assumingMemoryBound(to: UInt8.self) }
  /// Values of a block that are not zero, up to four bytes each.
  var nonZeros: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: sparseMemory.bytes[Self.maskBytes...])
  }

  /// A block's values in the other byte order.
  func swapped(_ values: UnsafeRawBufferPointer, _ type: ElementType) -> UnsafeRawBufferPointer {
    unsafe swapBytes(of: type, values, into: swapMemory.bytes)
    return unsafe swapMemory.prefix(values.count)
  }

  /// A cleared histogram; `index` 0 to 3.
  package func clearedCounts(_ index: Int = 0) -> UnsafeMutablePointer<UInt32> {
    let counts = unsafe countMemory.base.assumingMemoryBound(to: UInt32.self) + 256 * index
    unsafe counts.update(repeating: 0, count: 256)
    return unsafe counts
  }
}

/// What decoding blocks needs. One object a thread; grows to the largest block met.
package final class DecodeScratch {
  package let compressors: Compressors
  package let inlineTables = DecodeTables()
  let inlineTrees = NodeTrees()
  /// Of a segment of one block.
  let tables = SymbolTables()
  private var tileMemory: Memory
  private var planeMemory: Memory?
  private var valueMemory: Memory?
  private var predictedMemory: Memory?
  private var roomMemory: Memory?
  private var capacity = Limits.writtenBlockValues(width: 1)

  package init() throws(SwzipError) {
    compressors = Compressors()
    tileMemory = try Memory(swzip_float_scratch_bytes(UInt32(capacity)))
  }

  /// Makes room for the areas up to `last` of blocks of `valueCount` values.
  func prepare(_ valueCount: Int, through last: some ScratchArea) throws(SwzipError) {
    try prepare(valueCount, planes: last.rawValue + 1)
  }
  func area(_ area: some ScratchArea) -> UnsafeMutablePointer<UInt8> { unsafe plane(area.rawValue) }

  /// Makes room for blocks of `valueCount` values, with byte planes if `planes`.
  package func prepare(_ valueCount: Int, planes: Int) throws(SwzipError) {
    if valueCount > capacity {
      capacity = valueCount
      tileMemory = try Memory(swzip_float_scratch_bytes(UInt32(capacity)))
      planeMemory = nil
    }
    let bytes = planes * (capacity + 512)
    if (planeMemory?.byteCount ?? 0) < bytes { planeMemory = try Memory(bytes) }
  }

  /// Room for values: of a sparse block those that are not zero, or those that a block refers to.
  func values(_ byteCount: Int) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if (valueMemory?.byteCount ?? 0) < byteCount { valueMemory = try Memory(byteCount) }
    return unsafe valueMemory!.bytes
  }
  /// Room for values that are computed from others.
  func predicted(_ byteCount: Int) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if (predictedMemory?.byteCount ?? 0) < byteCount { predictedMemory = try Memory(byteCount) }
    return unsafe UnsafeMutableRawBufferPointer(rebasing: predictedMemory!.bytes[..<byteCount])
  }
  /// Room for two lists of so many symbols.
  func listRoom(_ symbolCount: Int) throws(SwzipError) -> UnsafeMutablePointer<UInt8> {
    let bytes = NodeLists.room(symbolCount)
    if (roomMemory?.byteCount ?? 0) < bytes { roomMemory = try Memory(bytes) }
    return unsafe roomMemory!.base.assumingMemoryBound(to: UInt8.self)
  }
  /// Room for all planes of a block.
  package func planeArea(_ byteCount: Int) throws(SwzipError) -> UnsafeMutablePointer<UInt8> {
    if (planeMemory?.byteCount ?? 0) < byteCount { planeMemory = try Memory(byteCount) }
    return unsafe planeMemory!.base.assumingMemoryBound(to: UInt8.self)
  }

  package var tile: UnsafeMutablePointer<UInt8> { unsafe tileMemory.base.assumingMemoryBound(to: UInt8.self) }
  /// Room for plane `index`, after `prepare` with more planes than that.
  package func plane(_ index: Int) -> UnsafeMutablePointer<UInt8> {
    precondition((index + 1) * (capacity + 512) <= planeMemory!.byteCount)
    return unsafe (planeMemory!.base + index * (capacity + 512)).assumingMemoryBound(to: UInt8.self)
  }
}

/// Reverses the bytes of each value, of complex numbers those of each part. `target`, at least as long, may be `values`.
func swapBytes(of type: ElementType, _ values: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
  precondition(values.count <= target.count && values.count % type.width == 0)
  guard let from = values.baseAddress, let to = target.baseAddress else { return }
  unsafe swzip_bytes_swap(from, values.count, UInt32(type.swappedUnit), to)
}
