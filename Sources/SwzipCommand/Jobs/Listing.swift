internal import Swzip
internal import SwzipCore
internal import SwzipNames

/// What `list` says of containers.
struct Listing {
  private var table = Listing.emptyTable
  private var isEmpty = true

  private static var emptyTable: Table {
    Table([("PACKED", .right), ("SIZE", .right), ("RATIO", .right), ("TENSORS", .right), ("NAME", .left)])
  }

  mutating func add(_ name: String, _ file: Container) {
    let raw = file.members.reduce(0) { $0 &+ $1.byteCount }
    isEmpty = false
    table.add([
      formatSize(file.containerByteCount), formatSize(raw), formatRatio(file.containerByteCount, of: raw),
      String(file.tensors.count), name.printable,
    ])
    let members = file.members
    guard file.isFolder else { return }
    var packed = [UInt64](repeating: 0, count: members.count)
    var tensors = [Int](repeating: 0, count: members.count)
    for tensor in file.tensors where tensors.indices.contains(tensor.member) { tensors[tensor.member] += 1 }
    for segment in file.segments where packed.indices.contains(segment.member) {
      packed[segment.member] += segment.packedByteCount
    }
    let inexact = Dictionary(
      file.inexact.map { record in record.files.map { (Exact($0.name), record.policy) } } ?? []
    ) { first, _ in first }
    for (index, member) in members.enumerated() {
      let bound = inexact[Exact(member.name)].map { " (moments within \($0.printable) of the source, not exact)" }
      table.add([
        formatSize(packed[index]), formatSize(member.byteCount), formatRatio(packed[index], of: member.byteCount),
        String(tensors[index]),
        "  " + member.name.printable + (member.link.map { " -> " + $0.target.printable } ?? "") + (bound ?? ""),
      ])
    }
  }

  mutating func flush(_ style: Style) {
    guard !isEmpty else { return }
    writeOut(table.text(style))
    table = Listing.emptyTable
    isEmpty = true
  }

  /// Checksums, then one line a tensor.
  static func details(_ file: Container, _ style: Style) -> String {
    var text = "\n  root      SHA-256   \(file.root)\n"
    for member in file.members {
      if let checksum = member.checksum {
        text += "  checksum  XXH3-128  \(checksum)" + (member.name.isEmpty ? "" : "  \(member.name.printable)") + "\n"
      }
      if let sha256 = member.sha256 { text += "  checksum  SHA-256   \(sha256)\n" }
      for base in member.bases {
        text += "  needs     SHA-256   \(base.sha256)  \(base.byteCount) bytes  \(base.hint.printable)\n"
      }
    }
    text += "\n"
    let tensors = Dictionary(grouping: file.tensors, by: \.member)
    for (number, member) in file.members.enumerated() {
      guard let found = tensors[number] else { continue }
      if file.isFolder { text += "  " + style.bold(member.name.printable) + "\n" }
      text += table(found, style) + "\n"
    }
    return text
  }

  private static func table(_ found: [Container.Tensor], _ style: Style) -> String {
    var tensors = Table([("TYPE", .left), ("BYTES", .right), ("OFFSET", .right), ("SHAPE", .left), ("TENSOR", .left)])
    tensors.indent = 2
    tensors.cutColumn = 4
    for tensor in found {
      tensors.add([
        tensor.elementType, String(tensor.byteCount), String(tensor.offset), formatShape(tensor.shape),
        tensor.name.printable,
      ])
    }
    return tensors.text(style)
  }

  static func json(_ name: String, _ file: Container) -> JSONObject {
    let raw = file.members.reduce(0) { $0 &+ $1.byteCount }
    var fields: JSONObject = [
      "path": .string(name), "format": .string("swz"), "in_bytes": .integer(file.containerByteCount),
      "out_bytes": .integer(raw), "ratio": ratio(file.containerByteCount, of: raw), "root": .digest(file.root),
      "members": .array(
        file.members.map { member in
          var fields: JSONObject = [
            "name": .string(member.name), "bytes": .integer(member.byteCount),
            "checksum": .digest(member.checksum), "sha256": .digest(member.sha256),
          ]
          // As chmod takes it, and as stat -c %.9Y shows it.
          if let mode = member.mode { fields["mode"] = .string(formatMode(mode)) }
          if let link = member.link { fields["link"] = .string(link.target) }
          if let time = member.time { fields["modified"] = .string(formatTime(time)) }
          if !member.bases.isEmpty { fields["bases"] = .array(member.bases.map { .object(json($0)) }) }
          return .object(fields)
        }),
      "tensors": .array(file.tensors.map { .object(json($0)) }),
    ]
    if let inexact = file.inexact { fields["moments"] = .object(inexact.json) }
    return fields
  }

  private static func json(_ base: Container.Base) -> JSONObject {
    ["sha256": .digest(base.sha256), "bytes": .integer(base.byteCount), "hint": .string(base.hint)]
  }

  static func json(_ tensor: Container.Tensor) -> JSONObject {
    [
      "name": .string(tensor.name), "type": .string(tensor.elementType),
      "shape": .array(tensor.shape.map { .integer($0) }), "member": .integer(UInt64(tensor.member)),
      "offset": .integer(tensor.offset), "bytes": .integer(tensor.byteCount),
    ]
  }
}
