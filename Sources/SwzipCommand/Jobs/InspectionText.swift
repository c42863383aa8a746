internal import Swzip
internal import SwzipCore
internal import SwzipNames

/// The tables of `inspect`.
struct InspectionText {
  let inspection: Inspection
  let style: Style
  /// Every tensor on a line of its own; else tensors that differ in layer numbers only share one.
  let showsAll: Bool

  var text: String {
    var text = heading
    if !inspection.rows.isEmpty { text += "\n" + tensors + "\n" + types }
    return text + "\n"
  }

  private var heading: String {
    var text = style.bold(inspection.name.printable) + "\n  \(inspection.summary)\n"
    if let container = inspection.container { text += "  root SHA-256 \(container.root)\n" }
    return text
  }

  private var tensors: String {
    var table = Table([
      ("TENSOR", .left), ("COUNT", .right), ("TYPE", .left), ("SHAPE", .left), ("CODEC", .left), ("BITS/VALUE", .right),
      ("SIZE", .right), ("PACKED", .right), ("RATIO", .right),
    ])
    table.indent = 2
    table.cutColumn = 0
    for group in groups {
      let (size, packed) = (group.rows.byteCount, group.rows.packedByteCount)
      let values = group.rows.reduce(0) { $0 &+ $1.valueCount }
      table.add([
        group.name.printable, group.rows.count == 1 ? "" : "\(group.rows.count)×", group.type, group.shape, group.codec,
        values == 0 ? "-" : fixed(packed * 8 / Double(values), places: 2), formatSize(size), formatSize(bytes(packed)),
        formatRatio(bytes(packed), of: size),
      ])
    }
    table.addGap()
    // Overlapping tensors may count twice, so the rest can be a little off; it is never shown below zero.
    let size = inspection.rows.byteCount
    let packed = bytes(inspection.rows.packedByteCount)
    addTotal(
      &table, "header, gaps" + (inspection.container != nil ? ", index" : ""),
      inspection.byteCount > size ? inspection.byteCount - size : 0,
      inspection.packedByteCount > packed ? inspection.packedByteCount - packed : 0, showsRatio: false)
    addTotal(&table, "total", inspection.byteCount, inspection.packedByteCount)
    return table.text(style)
  }

  private func addTotal(
    _ table: inout Table, _ name: String, _ size: UInt64, _ packed: UInt64, showsRatio: Bool = true
  ) {
    let ratio = showsRatio ? formatRatio(packed, of: size) : ""
    table.add([name, "", "", "", "", "", formatSize(size), formatSize(packed), ratio])
  }

  private var types: String {
    var table = Table([
      ("TYPE", .left), ("TENSORS", .right), ("SIZE", .right), ("SHARE", .right), ("PACKED", .right), ("RATIO", .right),
    ])
    table.indent = 2
    for type in inspection.types {
      table.add([
        type.type, String(type.tensors), formatSize(type.byteCount),
        formatRatio(type.byteCount, of: inspection.byteCount),
        formatSize(bytes(type.packedByteCount)), formatRatio(bytes(type.packedByteCount), of: type.byteCount),
      ])
    }
    return table.text(style)
  }

  private struct Group {
    let name, type, shape, codec: String
    var rows: [Inspection.Row]
  }

  /// In the order of the first tensor of each.
  private var groups: [Group] {
    var groups: [Group] = []
    var places: [[Exact]: Int] = [:]
    for row in inspection.rows {
      let name = showsAll ? row.tensor.name : row.kind
      let shape = formatShape(row.tensor.shape)
      let key = [name, row.tensor.elementType, shape, row.codec].map { Exact($0) }
      if !showsAll, let place = places[key] {
        groups[place].rows.append(row)
      } else {
        places[key] = groups.count
        groups.append(Group(name: name, type: row.tensor.elementType, shape: shape, codec: row.codec, rows: [row]))
      }
    }
    // A pattern that stands for one tensor is its name.
    return groups.map { group in
      guard group.rows.count == 1, let name = group.rows.first?.tensor.name else { return group }
      return Group(name: name, type: group.type, shape: group.shape, codec: group.codec, rows: group.rows)
    }
  }

  private func bytes(_ count: Double) -> UInt64 { UInt64(count.rounded()) }
}
