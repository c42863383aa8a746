internal import SwzipLibc
internal import Synchronization

/// Threads for a call that has many short runs of jobs: they wait between them, for a moment awake. The last run over, they are
/// joined, so nothing is left that a fork could break. One thread at a time runs jobs.
public final class WorkerTeam: @unchecked Sendable {  // `work` and `count` are set while nobody is in a run
  /// So often a thread looks before it sleeps: some hundred microseconds.
  private static let looks = 50_000
  /// What `state` says: the number of the run, whether it takes more threads, how many are in it. Below zero: no more runs.
  private static let run = 1 << 13
  private static let isOpen = 1 << 12
  private static let members = isOpen - 1

  private let state = Atomic<Int>(0)
  private let sleep = Sleep()
  private var runs = 0
  private var work: (@Sendable (Int) -> Void)?
  private var count = 0
  private var threads: [System.Thread] = []

  /// `threads`: with the calling one, at most 4000.
  public init(threads: Int) {
    var started: [System.Thread] = []
    System.withSignalsBlocked {
      for number in 1..<min(max(1, threads), 4000) {
        // Where the system has no more threads, fewer do the work.
        guard
          let thread = System.startThread(stackByteCount: Workers.stackByteCount, { [self] in serve(number) })
        else { break }
        started.append(thread)
      }
    }
    self.threads = started
  }

  /// Calls `work` with 0 here, and with other numbers below `count` in the threads that come before that returns; returns when all
  /// calls have. A thread that another process keeps from running keeps nobody waiting: `work` shares out jobs.
  public func run(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) {
    guard count > 1, !threads.isEmpty else { return work(0) }
    (self.work, self.count) = (work, count)
    runs += 1
    sleep.wakeAll { state.store(runs * Self.run + Self.isOpen, ordering: .releasing) }
    work(0)
    state.subtract(Self.isOpen, ordering: .acquiringAndReleasing)
    wait { state.load(ordering: .acquiring) & Self.members == 0 }
    self.work = nil
  }

  /// Ends the threads. Nothing runs after it.
  public func end() {
    sleep.wakeAll { state.store(-1, ordering: .releasing) }
    for thread in threads { System.joinThread(thread) }
    threads = []
  }

  private func serve(_ number: Int) {
    var last = 0
    while true {
      var now = 0
      wait {
        now = state.load(ordering: .acquiring)
        return now < 0 || now & Self.isOpen != 0 && now / Self.run != last
      }
      guard now >= 0 else { return }
      guard state.compareExchange(expected: now, desired: now + 1, ordering: .acquiringAndReleasing).exchanged else {
        continue
      }
      last = now / Self.run
      if number < count { work?(number) }
      let left = state.subtract(1, ordering: .acquiringAndReleasing).newValue
      if left & (Self.isOpen | Self.members) == 0 { sleep.wakeAll {} }
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
