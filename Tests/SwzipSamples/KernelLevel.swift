package import CSwzipKernels
internal import Synchronization

/// Runs a test at chosen kernel levels. The level is process-wide: whoever chooses one holds the lock. Tests that do not
/// care may run at any level meanwhile.
package enum KernelLevel {
  private static let lock = Mutex(())

  /// All levels that this processor has, portable first.
  package static let all: [swzip_level] = {
    lock.withLock { _ in
      let best = swzip_level_in_use()
      let found = (0..<SWZIP_LEVELS.rawValue).map { swzip_level(rawValue: $0) }.filter { swzip_level_choose($0) }
      _ = swzip_level_choose(best)
      return found
    }
  }()

  /// Calls `body` with a function that changes the level; the level is put back afterwards.
  package static func choosing<T>(_ body: ((swzip_level) -> Void) throws -> T) throws -> T {
    _ = all  // it takes the lock too
    return try lock.withLock { _ in
      let before = swzip_level_in_use()
      defer { _ = swzip_level_choose(before) }
      return try body { level in precondition(swzip_level_choose(level)) }
    }
  }
}
