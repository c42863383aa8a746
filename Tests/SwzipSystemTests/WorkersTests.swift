import SwzipTestSupport
import Synchronization
import Testing

@testable import SwzipSystem

struct WorkersTests {
  @Test(arguments: [1, 2, 3, 8, 64], [0, 1, 2, 3, 7, 1000])
  func doesEachJobOnce(threads: Int, count: Int) {
    let done = Mutex([Int](repeating: 0, count: count))
    Workers.run(threads: threads, count: count) { index in done.withLock { $0[index] += 1 } }
    #expect(done.withLock { $0 } == [Int](repeating: 1, count: count))
  }

  @Test func oneThreadWorksInOrder() {
    let order = Mutex<[Int]>([])
    Workers.run(threads: 1, count: 100) { index in order.withLock { $0.append(index) } }
    #expect(order.withLock { $0 } == Array(0..<100))
  }

  @Test(arguments: [1, 2, 5]) func noWorkerRunsTwoJobsAtOnce(threads: Int) {
    let busy = Mutex(Set<Int>())
    let faults = Atomic<Int>(0)
    Workers.run(threads: threads, count: 500) { _, worker in
      if worker >= threads || !busy.withLock({ $0.insert(worker).inserted }) { faults.add(1, ordering: .relaxed) }
      _ = busy.withLock { $0.remove(worker) }
    }
    let faultCount = faults.load(ordering: .relaxed)
    #expect(faultCount == 0)
  }

  @Test func severalThreadsTakePart() {
    // Each job waits until two are running: with one thread this would never end, so give up after a while.
    let running = Atomic<Int>(0)
    let met = Atomic<Bool>(false)
    Workers.run(threads: 2, count: 2) { _ in
      running.add(1, ordering: .acquiringAndReleasing)
      let ok = waitUntil { running.load(ordering: .acquiring) == 2 }
      if ok { met.store(true, ordering: .releasing) }
    }
    let haveMet = met.load(ordering: .acquiring)
    #expect(haveMet)
  }

  @Test func runsInsideARun() {
    let total = Atomic<Int>(0)
    Workers.run(threads: 3, count: 5) { _ in
      Workers.run(threads: 3, count: 7) { _ in total.add(1, ordering: .relaxed) }
    }
    let sum = total.load(ordering: .relaxed)
    #expect(sum == 35)
  }
}

struct ProcessorsTests {
  let folder = TestFolder()

  @Test func thereIsAtLeastOne() { #expect(availableProcessors() >= 1) }

  @Test(
    arguments: [
      ("200000 100000\n", 2), ("150000 100000", 2), ("50000 100000", 1), ("1 100000", 1), ("max 100000", nil),
      ("-1 100000", nil), ("0 100000", nil), ("100000 0", nil), ("", nil), ("1 2 3", nil), ("a b", nil),
    ] as [(String, Int?)])
  func quotas(_ text: String, _ expected: Int?) { #expect(parseQuota(text) == expected) }

  @Test func theSmallestQuotaOnTheWayCounts() {
    folder.write("membership", Array("0::/a/b\n".utf8))
    folder.makeFolder("a")
    folder.makeFolder("a/b")
    #expect(limit == nil)
    folder.write("a/cpu.max", Array("300000 100000\n".utf8))
    #expect(limit == 3)
    folder.write("a/b/cpu.max", Array("max 100000\n".utf8))
    #expect(limit == 3)
    folder.write("cpu.max", Array("100000 100000\n".utf8))
    #expect(limit == 1)
  }

  @Test func theOlderKindOfGroupsCountsToo() {
    folder.write("membership", Array("5:memory:/x\n4:cpu,cpuacct:/y\n".utf8))
    folder.makeFolder("cpu")
    folder.makeFolder("cpu/y")
    folder.write("cpu/y/cpu.cfs_quota_us", Array("250000\n".utf8))
    folder.write("cpu/y/cpu.cfs_period_us", Array("100000\n".utf8))
    #expect(limit == 3)
  }

  private var limit: Int? { controlGroupLimit(root: folder.path, membership: folder("membership")) }
}
