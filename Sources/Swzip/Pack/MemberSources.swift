internal import SwzipCore

/// The files of a container that is being planned. At most a few are open at once, however many there are.
final class MemberSources {
  private let opens: [() throws(SwzipError) -> any RandomSource]
  /// The last used first.
  private var opened: [(member: Int, source: any RandomSource)] = []
  private static let mostOpen = 8

  init(_ opens: [() throws(SwzipError) -> any RandomSource]) { self.opens = opens }

  /// The only file, which stays open.
  init(_ source: any RandomSource) {
    opens = []
    opened = [(0, source)]
  }

  func source(_ member: Int) throws(SwzipError) -> any RandomSource {
    if let place = opened.firstIndex(where: { $0.member == member }) {
      if place > 0 { opened.insert(opened.remove(at: place), at: 0) }
      return opened[0].source
    }
    if opened.count == Self.mostOpen { opened.removeLast() }
    let source = try opens[member]()
    opened.insert((member, source), at: 0)
    return source
  }
}
