/// The tensors of all members as the directory lists them: column by column, so that what is alike lies together
/// (spec/FORMAT.md, section 5).
enum TensorColumns {
  static func write(_ members: [MemberRecord], _ writer: inout ByteWriter) {
    let tensors = members.flatMap(\.tensors)
    for tensor in tensors {
      writer.varint(UInt64(tensor.name.utf8.count))
      writer.array(Array(tensor.name.utf8))
    }
    for tensor in tensors { writer.integer(tensor.elementType.rawValue) }
    for tensor in tensors { writer.integer(UInt8(tensor.shape.count)) }
    for tensor in tensors {
      for dimension in tensor.shape { writer.varint(dimension) }
    }
    for member in members {
      var end: UInt64 = 0
      for tensor in member.tensors {
        writer.zigzag(Int64(bitPattern: tensor.offset &- end))
        end = tensor.offset + tensor.byteCount
      }
    }
  }

  /// Reads `counts[i]` tensors for member `i`. `keepsTensors`: else those of bundles alone are kept; all are checked.
  static func read(
    _ reader: inout ByteReader, _ counts: [Int], into members: inout [MemberRecord], keepsTensors: Bool
  ) throws(SwzipError) {
    let total = counts.reduce(0, +)
    guard total <= reader.remaining / TensorRecord.leastBytes else { throw reader.failure(.truncated) }
    let keeps = members.map { keepsTensors || $0.bundle != nil }
    let keptCount = zip(counts, keeps).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
    var names: [String] = []
    names.reserveCapacity(keptCount)
    for (number, count) in counts.enumerated() {
      for _ in 0..<count {
        let name = try reader.string(try reader.count(itemBytes: 1, atMost: 65535))
        if keeps[number] { names.append(name) }
      }
    }
    var types: [ElementType] = []
    types.reserveCapacity(total)
    for _ in 0..<total {
      guard let type = ElementType(rawValue: try reader.integer(UInt8.self)) else {
        throw reader.failure(.reservedBits, .unsupported)
      }
      types.append(type)
    }
    let ranks = try reader.array(total)
    guard ranks.allSatisfy({ $0 <= Limits.rank }) else { throw reader.failure(.limit) }
    var shapes: [[UInt64]] = []
    shapes.reserveCapacity(keptCount)
    // Nil where type and shape make none.
    var byteCounts: [UInt64?] = []
    byteCounts.reserveCapacity(total)
    var (next, shape): (Int, [UInt64]) = (0, [])
    for (number, count) in counts.enumerated() {
      for index in next..<(next + count) {
        try readShape(&reader, rank: Int(ranks[index]), &shape)
        byteCounts.append(TensorRecord.byteCount(of: types[index], shape: shape))
        if keeps[number] { shapes.append(shape) }
      }
      next += count
    }
    var kept: Int
    (next, kept) = (0, 0)
    for (number, count) in counts.enumerated() where count > 0 {
      let memberBytes = members[number].byteCount
      if keeps[number] { members[number].tensors.reserveCapacity(count) }
      var end: UInt64 = 0
      for index in next..<(next + count) {
        let (place, overflow) = Int64(end).addingReportingOverflow(try reader.zigzag())
        guard !overflow, let offset = UInt64(exactly: place), offset <= memberBytes,
          let byteCount = byteCounts[index], byteCount <= memberBytes - offset
        else { throw reader.failure(.tensorRange) }
        end = offset + byteCount
        guard keeps[number] else { continue }
        members[number].tensors.append(
          TensorRecord(
            name: names[kept], elementType: types[index], shape: shapes[kept], offset: offset, byteCount: byteCount))
        kept += 1
      }
      next += count
    }
  }

  /// Reads a shape over the one before it: equal ones share their memory.
  private static func readShape(_ reader: inout ByteReader, rank: Int, _ shape: inout [UInt64]) throws(SwzipError) {
    if shape.count != rank { shape = [UInt64](repeating: 0, count: rank) }
    for index in 0..<rank {
      let dimension = try reader.varint()
      if dimension != shape[index] { shape[index] = dimension }
    }
  }
}
