internal import SwzipSystem

/// What the user named to be read.
enum Operand: Equatable {
  case standardInput
  case path(String)

  init(_ text: String) { self = text == "-" ? .standardInput : .path(text) }

  var name: String {
    switch self {
    case .standardInput: FileHandle.standardInput.path
    case .path(let path): path
    }
  }
}

/// Does `work` for each operand, goes on after failures, and ends the verb with the gravest status.
func forEach(
  _ operands: [Operand], _ console: Console, _ work: (Operand) throws(Failure) -> Void
) throws(Finished) {
  var worst = CommandStatus.success
  for operand in operands {
    do throws(Failure) {
      try work(operand)
    } catch {
      console.fail(error)
      worst = max(worst, error.status)
      // Nobody reads the rest.
      if error.status == .brokenPipe { break }
    }
  }
  if worst != .success { throw Finished(status: worst) }
}
