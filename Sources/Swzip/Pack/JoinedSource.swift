internal import SwzipCore
internal import Synchronization

/// Files one after another as one source. One file is open at a time.
final class JoinedSource: RandomSource {
  private let members: [PackMember]
  /// Where each file begins, and the end.
  private let starts: [UInt64]
  private let opened = Mutex<(number: Int, source: any RandomSource)?>(nil)

  /// `byteCounts`: of the files, which must still have those lengths when they are opened.
  init(_ members: [PackMember], _ byteCounts: [UInt64]) {
    self.members = members
    starts = byteCounts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
  }

  var byteCount: UInt64 { starts[members.count] }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    var done = 0
    var number = starts.partitioningIndex { $0 > position } - 1
    while done < buffer.count, number < members.count {
      let offset = position + UInt64(done) - starts[number]
      let left = starts[number + 1] - starts[number] - offset
      let count = Int(min(left, UInt64(buffer.count - done)))
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + count)])
      if count > 0 {
        guard try unsafe open(number).read(at: offset, into: part) == count else { throw PlannedMember.changed }
      }
      done += count
      number += 1
    }
    return done
  }

  private func open(_ number: Int) throws(SwzipError) -> any RandomSource {
    if let opened = opened.withLock({ $0 }), opened.number == number { return opened.source }
    let source = try members[number].open()
    guard source.byteCount == starts[number + 1] - starts[number] else { throw PlannedMember.changed }
    opened.withLock { $0 = (number, source) }
    return source
  }
}
