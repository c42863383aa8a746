internal import Swzip
internal import SwzipCore

extension SalvageReport {
  var recoveredByteCount: UInt64 { files.reduce(0) { $0 &+ $1.recoveredByteCount } }
  private var byteCount: UInt64 { files.reduce(0) { $0 &+ $1.byteCount } }
  private var isFolder: Bool { !lost.isEmpty || files.contains { !$0.name.isEmpty } }

  /// What `salvage` says.
  func summary(_ input: String, _ output: String) -> Work.Summary {
    let inFiles = isFolder ? " in \(files.count) files" : ""
    var lines = [
      "\(input.printable) : \(formatSize(recoveredByteCount)) of \(formatSize(byteCount))\(inFiles) saved to "
        + output.printable
    ]
    if precedingByteCount > 0 {
      lines.append("  the container begins at byte \(precedingByteCount); what stands before it is left out")
    }
    lines += files.flatMap(\.lines) + lost.map { "  lost: \($0.printable)" }
    return Work.Summary(lines: lines, fields: json, failure: Failure.lost(input, self))
  }

  private var json: JSONObject {
    var fields: JSONObject = ["whole": .bool(isWhole), "index": .bool(hasIndex)]
    guard isFolder else {
      if let file = files.first { fields.append(file.json) }
      return fields
    }
    fields["end_known"] = .bool(hasIndex)
    fields["out_bytes"] = .integer(byteCount)
    fields["recovered_bytes"] = .integer(recoveredByteCount)
    fields["files"] = .array(
      files.map { .object($0.namedJSON) })
    fields["lost"] = .array(lost.map { .string($0) })
    return fields
  }
}

extension SalvagedFile {
  /// Lines about lost ranges; all are in the JSON.
  private static let mostLines = 10

  var lines: [String] {
    let name = name.isEmpty ? "" : " of \(name.printable)"
    var lines = missing.prefix(Self.mostLines).map { "  lost: bytes \($0.lowerBound) to \($0.upperBound)" + name }
    if missing.count > Self.mostLines { lines.append("  lost: \(missing.count - Self.mostLines) more ranges" + name) }
    if let error = missingBase { lines.append("  lost for want of a base" + name + ": " + error.explanation) }
    return lines
  }

  var namedJSON: JSONObject {
    var fields: JSONObject = ["name": .string(name)]
    fields.append(json)
    return fields
  }

  fileprivate var json: JSONObject {
    [
      "end_known": .bool(knowsEnd), "out_bytes": .integer(byteCount),
      "recovered_bytes": .integer(recoveredByteCount),
      "missing": .array(missing.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
    ]
  }
}

extension Failure {
  /// Not all could be salvaged, or nobody knows; nil where all was.
  fileprivate static func lost(_ path: String, _ report: SalvageReport) -> Failure? {
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
