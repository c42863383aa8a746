internal import SwzipCore
internal import SwzipSystem

/// Where words go: people read stderr, programs read stdout.
struct Console {
  /// 1 hides notes and warnings, 2 also errors.
  var quiet = 0
  var verbose = 0
  /// One object a line on stdout.
  var json = false

  /// A line for people, with `--json` too: it goes to stderr.
  func note(_ text: String) {
    if quiet == 0 { writeError(text + "\n") }
  }

  func warn(_ path: String, _ text: String) {
    if quiet == 0 { writeError("swzip: \(path.printable): warning: \(text)\n") }
  }

  /// `isShown`: to people; programs get all.
  func fail(_ failure: Failure, isShown: Bool = true) {
    guard failure.status != .brokenPipe else { return }
    let place = failure.path.isEmpty ? "" : failure.path.printable + ": "
    if quiet < 2, isShown { writeError("swzip: \(place)\(failure.text)\n") }
    guard json else { return }
    var error: JSONObject = [
      "code": .integer(UInt64(failure.status.rawValue)), "message": .string(failure.text),
      "path": .string(failure.path),
    ]
    if let rule = failure.rule { error["rule"] = .string(rule) }
    error.append(failure.fields)
    emit(["error": .object(error)])
  }

  /// One line of JSON, with the version of its schema first.
  func emit(_ fields: JSONObject) {
    guard json else { return }
    var line: JSONObject = ["swzip": .integer(1)]
    line.append(fields)
    writeOut(line.text + "\n")
  }
}

/// Words on stderr are never worth failing for.
private func writeError(_ text: String) { try? FileHandle.standardError.write(text) }

/// Writes text to stdout; ends the process where that cannot be done. Only for verbs that have no output file open.
func writeOut(_ text: String) {
  do throws(SystemError) {
    try FileHandle.standardOutput.write(text)
  } catch {
    let failure = Failure(error, path: FileHandle.standardOutput.path)
    Console().fail(failure)
    LiveFiles.removeAll()
    Process.exit(failure.status.rawValue)
  }
}
