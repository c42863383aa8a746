import Swzip
import SwzipCore
import SwzipSamples
import Synchronization
import Testing

/// `Control`: calls that are ended, and threads of the caller's.
struct ControlTests {
  private static let original = SafetensorsFile.everything(seed: 12).bytes + Random.made(2 << 20)
  private static let container = try! packed(original)

  /// What a call does, with so many threads.
  enum Work: CaseIterable { case packing, unpacking, verifying, reading, pushing }

  private static func run(_ work: Work, _ threads: Int, _ control: Control) throws {
    switch work {
    case .packing:
      var options = options(threads: threads)
      options.control = control
      let sink = ArraySink()
      _ = try pack(from: ArraySource(original), to: sink, options: options)
      #expect(same(sink.bytes, container))
    case .unpacking:
      let sink = ArraySink()
      _ = try unpack(from: ArraySource(container), to: sink, threads: threads, control: control)
      #expect(same(sink.bytes, original))
    case .verifying:
      _ = try verify(ArraySource(container), threads: threads, control: control)
    case .reading:
      let target = try GuardedBuffer(original.count)
      try unsafe Container(ArraySource(container)).read(
        member: 0, offset: 0, into: target.bytes, threads: threads, control: control)
      #expect(unsafe same(Array(target.bytes), original))
    case .pushing:
      let sink = ArraySink()
      let decoder = try ContainerDecoder(to: sink, threads: threads, control: control)
      try unsafe container.withUnsafeBytes { try unsafe decoder.push($0) }
      _ = try decoder.finish()
      #expect(same(sink.bytes, original))
    }
  }

  /// Ended at the first question, at one in the middle, or never: `cancelled`, or all is right.
  @Test(arguments: Work.allCases, [1, 3]) func ended(work: Work, threads: Int) throws {
    let all = Counter()
    try Self.run(work, threads, Control { all.count() > 0 })
    #expect(all.value > 1 || threads > 1)
    // With several threads nobody knows how often the one that called gets a job.
    for last in threads > 1 ? [0] : [0, all.value / 2] {
      let asked = Counter()
      let error = #expect(throws: SwzipError.self) {
        try Self.run(work, threads, Control { asked.count() <= last })
      }
      #expect(error?.kind == .cancelled)
      #expect(asked.value == last + 1, "nobody is asked again")
    }
  }

  /// The caller's threads do the work, in whatever order they come.
  @Test(arguments: Work.allCases) func runner(work: Work) throws {
    let calls = Counter()
    let control = Control(runner: { count, work in
      _ = calls.count()
      for number in (0..<count).reversed() { work(number) }
    })
    try Self.run(work, 3, control)
    #expect(calls.value > 0)
  }
}

private final class Counter: Sendable {
  private let number = Atomic(0)
  var value: Int { number.load(ordering: .sequentiallyConsistent) }
  func count() -> Int { number.add(1, ordering: .sequentiallyConsistent).newValue }
}
