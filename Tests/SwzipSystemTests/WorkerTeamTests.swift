import Glibc
import SwzipSystem
import Synchronization
import Testing

struct WorkerTeamTests {
  /// Every number of every run is called once, however many threads there are, and nothing runs after `run` returns.
  @Test(arguments: [1, 2, 3, 8]) func everyNumberOnce(threads: Int) {
    let team = WorkerTeam(threads: threads)
    let calls = Mutex<[Int: Int]>([:])
    for run in 0..<300 {
      calls.withLock { $0 = [:] }
      let count = 1 + run % (threads + 2)
      team.run(count) { number in
        calls.withLock { $0[number, default: 0] += 1 }
      }
      let all = calls.withLock { $0 }
      #expect(all == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 1) }))
    }
    team.end()
  }

  /// Those who sleep between two runs are woken.
  @Test func afterALongWait() {
    let team = WorkerTeam(threads: 3)
    let calls = Atomic<Int>(0)
    for _ in 0..<3 {
      team.run(3) { _ in calls.add(1, ordering: .relaxed) }
      usleep(30_000)
    }
    #expect(calls.load(ordering: .relaxed) == 9)
    team.end()
  }
}
