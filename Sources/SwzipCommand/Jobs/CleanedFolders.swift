internal import SwzipNames
internal import Synchronization

/// The folders in which this run has looked for leftovers of killed runs: once each.
final class CleanedFolders: Sendable {
  static let shared = CleanedFolders()
  private let folders = Mutex<Set<Exact>>([])

  /// Returns whether the folder is new.
  func insert(_ folder: String) -> Bool { folders.withLock { $0.insert(Exact(folder)).inserted } }
}
