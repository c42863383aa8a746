internal import CSwzip
internal import CSwzipSystem
internal import Swzip
internal import SwzipCore
internal import SwzipSystem
internal import Synchronization

/// How a call of the C interface runs: `swz_call`, checked.
struct Call {
  let threads: Int
  var policy = CheckPolicy.strict
  var control: Control?
  var progress: ProgressHandler?

  /// `processors`: how many the process may use. To ask the system takes longer than to read a small tensor.
  init(
    _ given: UnsafePointer<swz_call>?, processors: @autoclosure () -> Int = availableProcessors()
  ) throws(SwzipError) {
    guard let given = unsafe given else {
      threads = processors()
      return
    }
    guard unsafe given.pointee.size == MemoryLayout<swz_call>.size else { throw .argument("the size of swz_call") }
    let call = unsafe given.pointee
    guard unsafe call.threads >= 0, unsafe call.check == 0 || call.check == 1 else {
      throw .argument("threads or check of swz_call")
    }
    threads = unsafe call.threads > 0 ? Int(call.threads) : processors()
    if unsafe call.check == 1 { policy = .loader }
    let watch = unsafe Watch(call)
    guard watch.isNeeded else { return }
    control = Control(goesOn: watch.goesOn, runner: watch.runner)
    progress = { done in watch.done.store(done, ordering: .relaxed) }
  }
}

/// Asks the caller whether a call goes on.
@safe private final class Watch: @unchecked Sendable {  // the caller's functions bear it, as the header says
  let done = Atomic<UInt64>(0)
  private let call: swz_call
  private let clock = Stopwatch()
  /// When there may be progress to tell next. Touched by who asks, one question at a time.
  private var next = Watch.interval

  private static let interval = 0.1

  init(_ call: swz_call) { unsafe self.call = call }

  var isNeeded: Bool { unsafe call.progress != nil || call.cancel != nil || call.run != nil }

  func goesOn() -> Bool {
    if let cancel = unsafe call.cancel, unsafe swzip_is_set(cancel) != 0 { return false }
    guard let progress = unsafe call.progress, case let now = clock.seconds, now >= next else { return true }
    next = now + Self.interval
    return unsafe progress(call.progress_context, done.load(ordering: .relaxed)) == 0
  }

  var runner: Control.Runner? {
    guard let run = unsafe call.run else { return nil }
    return { [self] count, work in
      let job = Job(work)
      unsafe run(
        call.run_context, count,
        { argument, number in unsafe Unmanaged<Job>.fromOpaque(argument!).takeUnretainedValue().work(number) },
        Unmanaged.passUnretained(job).toOpaque())
      withExtendedLifetime(job) {}
    }
  }

  private final class Job {
    let work: @Sendable (Int) -> Void
    init(_ work: @escaping @Sendable (Int) -> Void) { self.work = work }
  }
}
