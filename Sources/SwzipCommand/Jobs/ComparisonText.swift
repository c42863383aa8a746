internal import Swzip
internal import SwzipCore

/// What `diff` says.
struct ComparisonText {
  private let tensors: [TensorDifference]
  /// Steps of 2^i units and more are one column.
  private static let columns = 6

  init(_ tensors: [TensorDifference]) { self.tensors = tensors }

  private func count(_ change: TensorDifference.Change) -> Int { tensors.count { $0.change == change } }

  func text(_ style: Style, all: Bool) -> String {
    let shown = tensors.filter { all || $0.change != .equal }
    var text = ""
    if !shown.isEmpty {
      let steps = (0..<Self.columns).map { "\(1 << $0)" + ($0 == Self.columns - 1 ? "+" : "") }
      var table = Table(
        [("CHANGED", .right)] + steps.map { ($0, .right) }
          + [("DELTA", .right), ("TYPE", .left), ("SHAPE", .left), ("TENSOR", .left)])
      table.cutColumn = Self.columns + 4
      for tensor in shown { table.add(row(tensor)) }
      text = table.text(style) + "\n"
    }
    let values = tensors.reduce(0) { $0 + $1.valueCount }
    let changed = tensors.reduce(0) { $0 + $1.changedCount }
    text += "\(count(.equal)) tensors equal, \(count(.changed)) changed"
    for change in [TensorDifference.Change.added, .removed, .replaced] where count(change) > 0 {
      text += ", \(count(change)) \(change.rawValue)"
    }
    return text + "; \(formatShare(changed, of: values)) of the values\n"
  }

  private func row(_ tensor: TensorDifference) -> [String] {
    let compared = tensor.change == .equal || tensor.change == .changed
    var cells = [compared ? formatShare(tensor.changedCount, of: tensor.valueCount) : tensor.change.rawValue]
    for column in 0..<Self.columns {
      let last = column == Self.columns - 1 ? tensor.steps.count : column + 1
      let some = tensor.steps.isEmpty ? 0 : tensor.steps[min(column, last)..<last].reduce(0, +)
      cells.append(some == 0 ? "" : formatShare(some, of: tensor.valueCount))
    }
    return cells + [
      tensor.deltaByteCount.map { formatRatio($0, of: tensor.byteCount) } ?? "", tensor.elementType,
      formatShape(tensor.shape), tensor.name.printable,
    ]
  }

  var json: JSONValue {
    .array(
      tensors.map { tensor in
        .object([
          "name": .string(tensor.name), "type": .string(tensor.elementType),
          "shape": .array(tensor.shape.map { .integer($0) }), "bytes": .integer(tensor.byteCount),
          "change": .string(tensor.change.rawValue), "values": .integer(tensor.valueCount),
          "changed": .integer(tensor.changedCount),
          "steps": .array(tensor.steps.map { .integer($0) }),
          "delta_bytes": tensor.deltaByteCount.map { .integer($0) } ?? .null,
        ])
      })
  }
}

/// "2.24%", and never "0.00%" for something.
private func formatShare(_ part: UInt64, of whole: UInt64) -> String {
  guard whole > 0 else { return "-" }
  let share = 100 * Double(part) / Double(whole)
  return part > 0 && share < 0.005 ? "<0.01%" : fixed(share, places: 2) + "%"
}
