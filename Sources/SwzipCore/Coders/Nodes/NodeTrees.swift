package import CSwzipKernels

/// The trees of a segment's codes in memory, about 4 KiB each, built when they are first asked for. One thread at a time, until all
/// are built.
package final class NodeTrees {
  private var memory: Memory?
  private var codes: [CodeLengths] = []
  private var shift: UInt32 = 0
  /// A bit for each tree.
  private var built: UInt32 = 0

  package init() {}

  /// Takes codes, at most `Limits.tablesPerSegment`; reuses the memory of what was there before. `shift`: of decoded symbols.
  package func begin(_ codes: [CodeLengths], shift: UInt32) throws(SwzipError) {
    let byteCount = codes.count * MemoryLayout<swzip_node_tree>.stride
    if memory?.byteCount ?? 0 < byteCount { memory = try Memory(byteCount) }
    (self.codes, self.shift, built) = (codes, shift, 0)
  }

  package var count: Int { codes.count }

  package func buildAll() {
    for index in codes.indices { unsafe _ = at(index) }
  }

  /// Tree number `index`, valid until `begin`.
  package func at(_ index: Int) -> UnsafeMutablePointer<swzip_node_tree> {
    precondition(index < codes.count)
    let tree = unsafe memory!.base.assumingMemoryBound(to: swzip_node_tree.self) + index
    if built & 1 << UInt32(index) == 0 {
      unsafe swzip_node_tree_build(codes[index].lengths, shift, tree)
      built |= 1 << UInt32(index)
    }
    return unsafe tree
  }
}
