internal import SwzipCore

/// What the command's exit status means, in order of gravity: with several files the gravest one counts.
/// The only place that turns errors into statuses.
enum CommandStatus: Int32, Comparable, CaseIterable {
  case success = 0
  /// Exists, is a directory, is a link with `--rm`: nothing is wrong with the data.
  case refused = 2
  /// Memory could not be had; may work later.
  case temporary = 75
  case usage = 64
  case newer = 6
  case base = 4
  /// Reading, writing, permission, space.
  case failed = 1
  case damaged = 3
  /// As if SIGPIPE had ended us: the reader has what it wanted.
  case brokenPipe = 141

  static func < (left: CommandStatus, right: CommandStatus) -> Bool { left.gravity < right.gravity }

  private var gravity: Int { CommandStatus.allCases.firstIndex(of: self) ?? 0 }

  init(_ error: SwzipError) {
    switch error.kind {
    case .io: self = .failed
    case .refused: self = .refused
    case .corrupt: self = .damaged
    case .base: self = .base
    case .unsupported: self = .newer
    case .invalidArgument: self = .usage
    case .memory: self = .temporary
    }
  }
}
