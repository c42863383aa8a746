internal import SwzipCore
internal import SwzipSystem

/// One line on a terminal, at most five times a second, and only for jobs that last longer than a second.
final class Progress {
  private let console: Console
  private let name: String
  private let total: UInt64?
  private let showsLine: Bool
  private let showsJSON: Bool
  private let watch = Stopwatch()
  private var nextTime = 1.0
  private var lineLength = 0

  /// `asked` is what `--progress` or `--no-progress` said.
  init(_ console: Console, name: String, total: UInt64?, asked: Bool?) {
    self.console = console
    self.name = name
    self.total = total
    showsJSON = console.json && asked == true
    showsLine = !console.json && asked != false && console.quiet == 0 && FileHandle.standardError.isTerminal
  }

  var seconds: Double { watch.seconds }

  func update(_ done: UInt64) {
    guard showsLine || showsJSON else { return }
    let seconds = watch.seconds
    guard seconds >= nextTime else { return }
    nextTime = seconds + 0.2
    if showsJSON {
      var fields: JSONObject = ["path": .string(name), "done_bytes": .integer(done), "seconds": .decimal(seconds)]
      if let total { fields["in_bytes"] = .integer(total) }
      console.emit(["progress": .object(fields)])
    } else {
      show(Progress.line(name: name, done: done, total: total, seconds: seconds))
    }
  }

  /// Clears the line; call it before anything else is written.
  func end() {
    guard lineLength > 0 else { return }
    try? FileHandle.standardError.write("\r" + String(repeating: " ", count: lineLength) + "\r")
    lineLength = 0
  }

  private func show(_ line: String) {
    let length = line.unicodeScalars.count
    let pad = String(repeating: " ", count: max(0, lineLength - length))
    try? FileHandle.standardError.write("\r" + line + pad)
    lineLength = length
  }

  /// At most 79 characters, so that it never wraps.
  static func line(name: String, done: UInt64, total: UInt64?, seconds: Double) -> String {
    var figures = formatSize(done)
    if let total, total > 0 {
      figures = "\(Int(100 * Double(min(done, total)) / Double(total)))%  \(figures) of \(formatSize(total))"
    }
    figures += "  " + formatRate(done, seconds: seconds)
    if let total, done > 0, done < total {
      figures += "  ETA " + formatDuration(seconds * Double(total - done) / Double(done))
    }
    let room = 79 - 3 - figures.unicodeScalars.count
    return cut(name.printable, to: room) + " : " + figures
  }
}
