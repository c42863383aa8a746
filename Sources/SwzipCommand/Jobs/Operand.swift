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

/// Does `work` for each item, goes on after failures, and ends the verb with the gravest status; `failures` are those of
/// what came before.
func forEach<Item>(
  _ items: [Item], _ console: Console, failures: [Failure] = [], _ work: (Item) throws(Failure) -> Void
) throws(Finished) {
  var worst = CommandStatus.success
  for failure in failures {
    console.fail(failure)
    worst = max(worst, failure.status)
  }
  for item in items {
    do throws(Failure) {
      try work(item)
    } catch {
      console.fail(error)
      worst = max(worst, error.status)
      // Nobody reads the rest.
      if error.status == .brokenPipe { break }
    }
  }
  if worst != .success { throw Finished(status: worst) }
}
