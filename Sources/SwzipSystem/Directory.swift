/// An open directory: names are made and removed relative to it, so that renaming one of its parents in the
/// meantime does no harm.
final class Directory {
  let path: String
  let number: Int32
  /// False where the directory may be written but not read: it cannot be synced then.
  private let canSync: Bool

  init(_ path: String) throws(SystemError) {
    self.path = path
    do throws(SystemError) {
      number = try System.open(path, .directory)
      canSync = true
    } catch {
      guard error.errno == System.accessDenied else { throw error }
      number = try System.openPathOnly(path)
      canSync = false
    }
  }

  deinit { try? System.close(number, path) }

  /// Makes the names durable. A failure is never retried.
  func sync() -> Durability {
    guard canSync else { return .unknown(SystemError(errno: System.accessDenied, operation: "sync", path: path)) }
    do throws(SystemError) {
      try System.sync(number, path)
      return .synced
    } catch {
      return .unknown(error)
    }
  }

  func path(of name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }
}

/// Whether a name that now exists will still exist after a power cut.
public enum Durability: Equatable, Sendable {
  case synced
  /// The name stands and its content is on the disk; only the directory could not be synced.
  case unknown(SystemError)
}

/// A path as directory and name. Nil for a path that names no file: empty, or ending in `/`, `.` or `..`.
public func splitPath(_ path: String) -> (directory: String, name: String)? {
  let bytes = Array(path.utf8)
  let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
  let name = String(decoding: bytes[(slash.map { $0 + 1 } ?? 0)...], as: UTF8.self)
  guard !name.isEmpty, name != ".", name != ".." else { return nil }
  guard let slash else { return (".", name) }
  return (slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self), name)
}
