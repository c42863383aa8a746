internal import Swzip
internal import SwzipCore

/// What `salvage` says.
struct SalvageText {
  private let report: SalvageReport
  /// Lines about lost ranges of a file; all are in the JSON.
  private static let mostLines = 10

  init(_ report: SalvageReport) { self.report = report }

  func say(_ console: Console, _ input: String, _ output: String) {
    let (recovered, total) = (formatSize(report.recoveredByteCount), formatSize(report.byteCount))
    let files = report.isFolder ? " in \(report.files.count) files" : ""
    console.note("\(input.printable) : \(recovered) of \(total)\(files) saved to \(output.printable)")
    if report.precedingByteCount > 0 {
      console.note("  the container begins at byte \(report.precedingByteCount); what stands before it is left out")
    }
    for file in report.files { SalvageText.lines(file).forEach(console.note) }
    for name in report.lost { console.note("  lost: \(name.printable)") }
    var fields: JSONObject = ["path": .string(input), "out": .string(output)]
    fields.append(json)
    console.emit(fields)
  }

  private static func lines(_ file: SalvagedFile) -> [String] {
    let name = file.name.isEmpty ? "" : " of \(file.name.printable)"
    var lines = file.missing.prefix(mostLines).map { "  lost: bytes \($0.lowerBound) to \($0.upperBound)" + name }
    if file.missing.count > mostLines { lines.append("  lost: \(file.missing.count - mostLines) more ranges" + name) }
    if let error = file.missingBase { lines.append("  lost for want of a base" + name + ": " + error.explanation) }
    return lines
  }

  private var json: JSONObject {
    var fields: JSONObject = ["whole": .bool(report.isWhole), "index": .bool(report.hasIndex)]
    guard report.isFolder else {
      if let file = report.files.first { fields.append(SalvageText.json(file)) }
      return fields
    }
    fields["end_known"] = .bool(report.hasIndex)
    fields["out_bytes"] = .integer(report.byteCount)
    fields["recovered_bytes"] = .integer(report.recoveredByteCount)
    fields["files"] = .array(
      report.files.map { file in
        var fields: JSONObject = ["name": .string(file.name)]
        fields.append(SalvageText.json(file))
        return .object(fields)
      })
    fields["lost"] = .array(report.lost.map { .string($0) })
    return fields
  }

  private static func json(_ file: SalvagedFile) -> JSONObject {
    [
      "end_known": .bool(file.knowsEnd), "out_bytes": .integer(file.byteCount),
      "recovered_bytes": .integer(file.recoveredByteCount),
      "missing": .array(file.missing.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
    ]
  }
}

extension SalvageReport {
  var recoveredByteCount: UInt64 { files.reduce(0) { $0 &+ $1.recoveredByteCount } }
  var byteCount: UInt64 { files.reduce(0) { $0 &+ $1.byteCount } }
  fileprivate var isFolder: Bool { !lost.isEmpty || files.contains { !$0.name.isEmpty } }
}

extension Failure {
  /// Not all could be salvaged, or nobody knows; nil where all was.
  static func lost(_ path: String, _ report: SalvageReport) -> Failure? {
    guard !report.isWhole else { return nil }
    let ranges = report.files.reduce(0) { $0 + $1.missing.count }
    let needs = report.files.contains { $0.missingBase != nil } ? "name its bases with --base, or " : ""
    var parts: [String] = []
    if !report.lost.isEmpty {
      parts.append(report.lost.count == 1 ? "one file is lost" : "\(report.lost.count) files are lost")
    }
    if ranges > 0 { parts.append(ranges == 1 ? "one range is lost" : "\(ranges) ranges are lost") }
    if !report.hasIndex { parts.append("the index is lost and the end is unknown") }
    if parts.isEmpty { parts.append("bytes stand before the container") }
    return Failure(
      .damaged, path: path, text: parts.joined(separator: ", ") + "; \(needs)restore from another copy")
  }

  static func nothingSaved(_ path: String, _ report: SalvageReport) -> Failure {
    let reason = report.files.compactMap(\.missingBase).first.map { ": " + $0.explanation } ?? ""
    return Failure(.damaged, path: path, text: "nothing could be saved\(reason); restore from another copy")
  }
}
