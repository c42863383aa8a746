internal import SwzipLibc
internal import Synchronization

/// Threads for a call that has many short runs of jobs: they wait between them, for a moment awake. The last run over, they are
/// joined, so nothing is left that a fork could break. One thread at a time runs jobs.
public final class WorkerTeam: @unchecked Sendable {  // `work` and `count` are set while no thread reads them
  /// So often a thread looks before it sleeps: some hundred microseconds.
  private static let looks = 50_000

  /// Grows with each run; -1: no more will come.
  private let runs = Atomic<Int>(0)
  private let working = Atomic<Int>(0)
  private let sleep = Sleep()
  private var work: (@Sendable (Int) -> Void)?
  private var count = 0
  private var threads: [System.Thread] = []

  /// `threads`: with the calling one.
  public init(threads: Int) {
    var started: [System.Thread] = []
    System.withSignalsBlocked {
      for number in 1..<max(1, threads) {
        // Where the system has no more threads, fewer do the work.
        guard
          let thread = System.startThread(stackByteCount: Workers.stackByteCount, { [self] in serve(number) })
        else { break }
        started.append(thread)
      }
    }
    self.threads = started
  }

  /// Calls `work` for each number below `count`, as far as there are threads at once, 0 and those without a thread here; returns
  /// when all calls have.
  public func run(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) {
    let isShared = count > 1 && !threads.isEmpty
    if isShared {
      (self.work, self.count) = (work, count)
      working.store(threads.count, ordering: .releasing)
      sleep.wakeAll { runs.add(1, ordering: .acquiringAndReleasing) }
    }
    for number in 0..<count where number == 0 || number > threads.count { work(number) }
    if isShared {
      wait { working.load(ordering: .acquiring) == 0 }
      self.work = nil
    }
  }

  /// Ends the threads. Nothing runs after it.
  public func end() {
    sleep.wakeAll { runs.store(-1, ordering: .releasing) }
    for thread in threads { System.joinThread(thread) }
    threads = []
  }

  private func serve(_ number: Int) {
    var seen = 0
    while true {
      wait { runs.load(ordering: .acquiring) != seen }
      seen = runs.load(ordering: .acquiring)
      guard seen > 0 else { return }
      if number < count { work?(number) }
      if working.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { sleep.wakeAll {} }
    }
  }

  private func wait(until isThere: () -> Bool) {
    for look in 1...Self.looks {
      if isThere() { return }
      // Who is waited for may wait for this processor.
      if look % 256 == 0 { sched_yield() }
    }
    sleep.wait(until: isThere)
  }
}

/// Where threads sleep until something has changed.
@safe private final class Sleep: @unchecked Sendable {  // made for threads
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    // Both are ours and stay where they are.
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(lock)
    unsafe lock.deallocate()
    unsafe changed.deallocate()
  }

  func wait(until isThere: () -> Bool) {
    unsafe pthread_mutex_lock(lock)
    while !isThere() { unsafe pthread_cond_wait(changed, lock) }
    unsafe pthread_mutex_unlock(lock)
  }

  func wakeAll(_ change: () -> Void) {
    unsafe pthread_mutex_lock(lock)
    change()
    unsafe pthread_cond_broadcast(changed)
    unsafe pthread_mutex_unlock(lock)
  }
}
