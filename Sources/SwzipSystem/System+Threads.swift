// Threads and the signals that they take.
internal import SwzipLibc

extension System {
  #if canImport(Darwin)
    typealias Thread = pthread_t?
  #else
    typealias Thread = pthread_t
  #endif

  /// Starts a thread with a stack of `stackByteCount` bytes that runs `work`; nil where the system has none left.
  static func startThread(stackByteCount: Int, _ work: @escaping () -> Void) -> Thread? {
    var attributes = pthread_attr_t()
    guard unsafe pthread_attr_init(&attributes) == 0 else { return nil }
    // The attributes are ours and initialised; so is the box until the thread takes it.
    defer { _ = unsafe pthread_attr_destroy(&attributes) }
    _ = unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
    let box = unsafe Unmanaged.passRetained(ThreadBox(work))
    #if canImport(Darwin)
      var thread: pthread_t?
      let result = unsafe pthread_create(&thread, &attributes, { unsafe runThread($0) }, box.toOpaque())
    #else
      var thread = pthread_t()
      let result = unsafe pthread_create(&thread, &attributes, { unsafe runThread($0) }, box.toOpaque())
    #endif
    guard result == 0 else {
      unsafe box.release()
      return nil
    }
    return thread
  }

  static func joinThread(_ thread: Thread) {
    #if canImport(Darwin)
      if let thread = unsafe thread { _ = unsafe pthread_join(thread, nil) }
    #else
      _ = pthread_join(thread, nil)
    #endif
  }

  /// Runs `body` with every signal blocked that another thread could take as well, so that threads started inside
  /// never run a handler: the thread that calls us does.
  static func withSignalsBlocked<Result>(_ body: () -> Result) -> Result {
    var blocked = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&blocked)
    // These come from the thread's own instructions.
    for number in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP] { unsafe sigdelset(&blocked, number) }
    let changed = unsafe pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0
    defer { if changed { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) } }
    return body()
  }
}

private final class ThreadBox {
  let work: () -> Void
  init(_ work: @escaping () -> Void) { self.work = work }
}

#if canImport(Darwin)
  private func runThread(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    unsafe Unmanaged<ThreadBox>.fromOpaque(argument).takeRetainedValue().work()
    return nil
  }
#else
  private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument = unsafe argument { unsafe Unmanaged<ThreadBox>.fromOpaque(argument).takeRetainedValue().work() }
    return nil
  }
#endif
