internal import SwzipCore

/// What the command's exit status means. Those of errors are the library's codes.
struct CommandStatus: Comparable {
  let rawValue: Int32

  static let success = CommandStatus(rawValue: 0)
  /// Exists, is a directory, is a link with `--rm`: nothing is wrong with the data.
  static let refused = CommandStatus(.refused)
  /// Memory could not be had; may work later.
  static let temporary = CommandStatus(.memory)
  static let usage = CommandStatus(.invalidArgument)
  static let newer = CommandStatus(.unsupported)
  static let base = CommandStatus(.base)
  /// Reading, writing, permission, space.
  static let failed = CommandStatus(.io)
  static let damaged = CommandStatus(.corrupt)
  /// As if SIGPIPE had ended us: the reader has what it wanted.
  static let brokenPipe = CommandStatus(rawValue: 141)

  /// With several files the gravest one counts.
  private static let byGravity: [CommandStatus] = [
    .success, .refused, .temporary, .usage, .newer, .base, .failed, .damaged, .brokenPipe,
  ]

  private init(rawValue: Int32) { self.rawValue = rawValue }

  private init(_ kind: SwzipError.Kind) { self.init(rawValue: kind.rawValue) }

  init(_ error: SwzipError) { self.init(error.kind) }

  static func < (left: CommandStatus, right: CommandStatus) -> Bool { left.gravity < right.gravity }

  private var gravity: Int { CommandStatus.byGravity.firstIndex(of: self) ?? 0 }
}
