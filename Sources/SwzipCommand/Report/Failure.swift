internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// What stopped the work on one file.
struct Failure: Error {
  let status: CommandStatus
  /// As the user wrote it; empty where no file is concerned.
  let path: String
  /// One line: what is wrong; what to do.
  let text: String
  /// The broken rule, for programs.
  var rule: String?
  /// What else programs may want to know.
  var fields: JSONObject = [:]

  init(_ status: CommandStatus, path: String, text: String, rule: String? = nil) {
    self.status = status
    self.path = path
    self.text = text
    self.rule = rule
  }

  init(_ error: SwzipError, path: String) {
    self.init(CommandStatus(error), path: path, text: error.explanation, rule: error.rule.rawValue)
  }

  init(_ error: SystemError, path: String) {
    let status: CommandStatus = error.isBrokenPipe ? .brokenPipe : error.isInTheWay ? .refused : .failed
    self.init(status, path: path, text: error.explanation, rule: SwzipError.Rule.system.rawValue)
  }

  static func refused(_ path: String, _ text: String) -> Failure { Failure(.refused, path: path, text: text) }
}

/// Runs a call of the system for a file, with its error as a failure.
func attempt<Result>(
  _ path: String, _ call: () throws(SystemError) -> Result
) throws(Failure) -> Result {
  do throws(SystemError) { return try call() } catch { throw Failure(error, path: path) }
}

/// Runs a call of the library for a file, with its error as a failure, of that file if it names no other.
func attemptLibrary<Result>(
  _ path: String, _ call: () throws(SwzipError) -> Result
) throws(Failure) -> Result {
  do throws(SwzipError) { return try call() } catch { throw Failure(error, path: error.file ?? path) }
}
