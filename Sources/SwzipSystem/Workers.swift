internal import Synchronization

/// Runs jobs on several threads. Threads are made for one call and joined before it returns, so nothing is left
/// that a fork could break. Making one costs about 25 µs: give a call a millisecond of work or more.
public enum Workers {
  /// Enough for every kernel here; tables are not kept on the stack.
  static let stackByteCount = 1 << 20

  /// Calls `body` once for every index below `count`, on at most `threads` threads, this one included, and returns
  /// when all calls have. The order is open. `body` must bear to run several times at once; what it writes must be
  /// apart by index. With one thread, or one job, everything happens here, in order.
  public static func run(threads: Int, count: Int, body: (_ index: Int) -> Void) {
    run(threads: threads, count: count) { index, _ in body(index) }
  }

  /// As above; `worker` is below `threads`, and no two calls with the same one run at once: the place for scratch
  /// memory. `runner`: whose threads do it; it calls what it is given for each number below a count, and returns then.
  public static func run(
    threads: Int, count: Int, by runner: ((Int, @escaping @Sendable (Int) -> Void) -> Void)? = nil,
    body: (_ index: Int, _ worker: Int) -> Void
  ) {
    let others = min(threads, count) - 1
    guard others > 0 else {
      for index in 0..<max(0, count) { body(index, 0) }
      return
    }
    let next = Counter()
    // All threads are joined before `body` goes out of scope.
    withoutActuallyEscaping(body) { body in
      // `body` bears to run several times at once.
      nonisolated(unsafe) let body = body
      let work: @Sendable (Int) -> Void = { worker in
        while case let index = next.take(), index < count { unsafe body(index, worker) }
      }
      if let runner { return runner(others + 1, work) }
      let started = System.withSignalsBlocked {
        // Where the system has no more threads, fewer do the work.
        (1...others).compactMap { worker in System.startThread(stackByteCount: stackByteCount) { work(worker) } }
      }
      work(0)
      for thread in started { System.joinThread(thread) }
    }
  }

  private final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
  }
}
