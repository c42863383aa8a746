internal import CSwzipSystem

/// The temporary files of this process, in a table that a signal handler can walk.
public enum LiveFiles {
  /// Returns a number for `remove`; -1, and no clean-up by signal, for a very long path or a full table.
  static func add(_ path: String) -> Int32 {
    // The path is copied into the table.
    unsafe swzip_live_add(path)
  }

  static func remove(_ slot: Int32) { swzip_live_remove(slot) }

  /// For the end of a process that leaves without releasing its objects.
  public static func removeAll() { swzip_live_unlink_all() }

  /// For a command, once, at its start: SIGINT, SIGTERM, SIGHUP and SIGXCPU remove the live files and then end the
  /// process as they always do (a shell sees 128 + number). A broken pipe and a file-size limit become errors
  /// of `write`. A library never calls this.
  public static func removeOnSignals() { swzip_signals_install() }
}
