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

  /// Reads `counts[i]` tensors for member `i`.
  static func read(
    _ reader: inout ByteReader, _ counts: [Int], into members: inout [MemberRecord]
  ) throws(SwzipError) {
    let total = counts.reduce(0, +)
    guard total <= reader.remaining / TensorRecord.leastBytes else { throw reader.failure(.truncated) }
    var names: [String] = []
    names.reserveCapacity(total)
    for _ in 0..<total { names.append(try reader.string(try reader.count(itemBytes: 1, atMost: 65535))) }
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
    shapes.reserveCapacity(total)
    for rank in ranks {
      var shape: [UInt64] = []
      shape.reserveCapacity(Int(rank))
      for _ in 0..<rank { shape.append(try reader.varint()) }
      shapes.append(shape)
    }
    var next = 0
    for (number, count) in counts.enumerated() where count > 0 {
      let memberBytes = members[number].byteCount
      members[number].tensors.reserveCapacity(count)
      var end: UInt64 = 0
      for index in next..<(next + count) {
        let (place, overflow) = Int64(end).addingReportingOverflow(try reader.zigzag())
        guard !overflow, let offset = UInt64(exactly: place), offset <= memberBytes,
          let byteCount = TensorRecord.byteCount(of: types[index], shape: shapes[index]),
          byteCount <= memberBytes - offset
        else { throw reader.failure(.tensorRange) }
        members[number].tensors.append(
          TensorRecord(
            name: names[index], elementType: types[index], shape: shapes[index], offset: offset, byteCount: byteCount))
        end = offset + byteCount
      }
      next += count
    }
  }
}
