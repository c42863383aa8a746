internal import SwzipSystem
internal import Synchronization

/// A value that one thread at a time may touch, for moments. Like a `Mutex`, but made of an atomic that race checkers see: they
/// take what the standard library's lock guards for unguarded.
final class Guarded<Value>: @unchecked Sendable {  // touched by who holds the lock
  private let isHeld = Atomic(false)
  private var value: Value

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    var tries = 0
    while !isHeld.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged {
      tries += 1
      // Who holds it may wait for this processor.
      if tries % 64 == 0 { yieldProcessor() }
    }
    defer { isHeld.store(false, ordering: .releasing) }
    return body(&value)
  }
}
