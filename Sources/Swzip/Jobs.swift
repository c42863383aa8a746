internal import SwzipCore
internal import SwzipSystem
internal import Synchronization

/// Runs jobs on several threads (`Workers.run`) and throws the first error after all have ended; once one has failed,
/// those that have not begun are left out. `failure`: where those that run see that one has failed.
func runJobs(
  threads: Int, count: Int, _ control: Control?, _ failure: FirstFailure = FirstFailure(),
  _ body: (_ job: Int, _ worker: Int) throws(SwzipError) -> Void
) throws(SwzipError) {
  try control?.check()
  Workers.run(threads: threads, count: count, by: control?.runner) { (job: Int, worker: Int) in
    guard !failure.isThere else { return }
    do throws(SwzipError) {
      if worker == 0 { try control?.check() }
      try body(job, worker)
    } catch {
      failure.keep(error)
    }
  }
  if let error = failure.error { throw error }
}

/// Calls `body` with a control whose threads wait between runs of jobs: the caller's own, if it has some.
func withTeam<Result>(
  threads: Int, _ control: Control?, _ body: (Control?) throws(SwzipError) -> Result
) throws(SwzipError) -> Result {
  guard threads > 1, control?.runner == nil else { return try body(control) }
  let team = WorkerTeam(threads: threads)
  defer { team.end() }
  var control = control ?? Control()
  control.runner = { count, work in team.run(count, work) }
  return try body(control)
}

/// The first of several errors. `error` belongs to whoever claimed it, and to the caller when all jobs have ended.
final class FirstFailure: @unchecked Sendable {
  private let claimed = Atomic<Bool>(false)
  private(set) var error: SwzipError?

  var isThere: Bool { claimed.load(ordering: .relaxed) }

  func keep(_ error: SwzipError) {
    if claimed.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged { self.error = error }
  }
}
