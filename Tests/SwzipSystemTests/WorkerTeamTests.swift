import Glibc
import SwzipSystem
import Synchronization
import Testing

struct WorkerTeamTests {
  /// All jobs of every run are done when it returns, number 0 is called, and no number twice.
  @Test(arguments: [1, 2, 3, 8]) func everyJobOnce(threads: Int) {
    let team = WorkerTeam(threads: threads)
    for run in 0..<300 {
      let next = Atomic<Int>(0)
      let done = Atomic<Int>(0)
      let calls = Mutex<[Int]>([])
      let (count, jobs) = (1 + run % (threads + 2), run % 40)
      team.run(count) { number in
        calls.withLock { $0.append(number) }
        while next.add(1, ordering: .relaxed).oldValue < jobs { done.add(1, ordering: .relaxed) }
      }
      #expect(done.load(ordering: .relaxed) == jobs)
      let numbers = calls.withLock { $0.sorted() }
      #expect(numbers.first == 0 && Set(numbers).count == numbers.count && numbers.last! < count)
    }
    team.end()
  }

  /// Those who sleep between two runs are woken: each run waits for the call in another thread.
  @Test func afterALongWait() {
    let team = WorkerTeam(threads: 3)
    for _ in 0..<3 {
      let others = Atomic<Int>(0)
      team.run(3) { number in
        if number > 0 { others.add(1, ordering: .relaxed) }
        while others.load(ordering: .relaxed) == 0 { usleep(100) }
      }
      usleep(60_000)
    }
    team.end()
  }
}
