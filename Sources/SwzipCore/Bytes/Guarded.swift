internal import SwzipLibc
internal import Synchronization

/// A value that one thread at a time may touch, for moments. Like a `Mutex`, but made of an atomic that race checkers see: they
/// take what the standard library's lock guards for unguarded.
package final class Guarded<Value>: @unchecked Sendable {  // touched by who holds the lock
  private let isHeld = Atomic(false)
  private var value: Value

  package init(_ value: Value) { self.value = value }

  package func withLock<Result, Failure>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var tries = 0
    while !isHeld.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged {
      tries += 1
      // Who holds it may wait for this processor.
      if tries % 64 == 0 { sched_yield() }
    }
    defer { isHeld.store(false, ordering: .releasing) }
    return try body(&value)
  }
}
