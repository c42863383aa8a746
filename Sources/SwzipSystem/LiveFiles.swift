internal import CSwzipSystem

/// The temporary files of this process, in a table that a signal handler can walk.
public enum LiveFiles {
  /// Returns a number for `remove`; -1, and no clean-up by signal, for a very long path or a full table.
  static func add(_ path: String) -> Int32 {
    // The path is copied into the table.
    unsafe swzip_live_add(path.terminated)
  }

  static func remove(_ slot: Int32) { swzip_live_remove(slot) }

  /// Notes a path of the live temporary folder before it is made; a signal then removes it too.
  static func noteInTree(_ path: String) throws(SystemError) {
    guard unsafe swzip_live_tree_add(path.terminated) == 0 else {
      throw SystemError(errno: System.noMemory, operation: "create", path: path)
    }
  }

  /// Removes what was noted.
  static func removeTree() {
    swzip_live_tree_unlink()
    swzip_live_tree_forget()
  }

  /// What was noted is published.
  static func forgetTree() { swzip_live_tree_forget() }

  /// For the end of a process that leaves without releasing its objects.
  public static func removeAll() { swzip_live_unlink_all() }

  /// For a command, once, at its start: SIGINT, SIGTERM, SIGHUP and SIGXCPU remove the live files and then end the
  /// process as they always do (a shell sees 128 + number). A broken pipe and a file-size limit become errors
  /// of `write`. A library never calls this.
  public static func removeOnSignals() { swzip_signals_install() }
}
