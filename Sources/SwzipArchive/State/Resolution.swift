internal import SwzipCore

/// Which containers can be read with what is there (spec/ARCHIVE.md, section 3): the least set that holds each container whose
/// bases are files of containers in it. Cycles are outside.
package struct Resolution: Sendable {
  package typealias Content = StoredContainer.Content

  /// Where a content is had from.
  struct Place: Hashable, Sendable {
    let container: Int
    let file: Int
  }

  private let containers: [StoredContainer]
  private var places: [Content: Place] = [:]
  /// Of each container; nil outside the set.
  package private(set) var depths: [Int?]

  /// `isLeftOut`: as if a container were not there.
  init(_ containers: [StoredContainer], isLeftOut: (Int) -> Bool = { _ in false }) {
    self.containers = containers
    depths = containers.map { _ in nil }
    var rest = containers.indices.filter { !isLeftOut($0) }.sorted { containers[$0].name < containers[$1].name }
    var depth = 0
    while true {
      // Of one content the least depth gives it, then the first name.
      let found = rest.filter { containers[$0].bases.allSatisfy { places[$0] != nil } }
      guard !found.isEmpty else { return }
      for number in found {
        depths[number] = depth
        for file in containers[number].files.indices {
          guard let content = containers[number].content(ofFile: file), places[content] == nil else { continue }
          places[content] = Place(container: number, file: file)
        }
      }
      rest.removeAll { depths[$0] != nil }
      depth += 1
    }
  }

  func place(of content: Content) -> Place? { places[content] }

  /// With what containers outside hold too, of which some may be read all the same.
  func takingAll() -> Resolution {
    var all = self
    for number in containers.indices where depths[number] == nil {
      for file in containers[number].files.indices {
        guard let content = containers[number].content(ofFile: file), all.places[content] == nil else { continue }
        all.places[content] = Place(container: number, file: file)
      }
    }
    return all
  }

  /// The container and all that it needs, by way of what gives its bases.
  package func chain(of number: Int) -> Set<Int> { closure(of: [number]) }

  /// The containers and all that they need.
  package func closure(of numbers: some Sequence<Int>) -> Set<Int> {
    var found = Set(numbers)
    var open = Array(found)
    while let next = open.popLast() {
      for base in containers[next].bases {
        guard let place = places[base], found.insert(place.container).inserted else { continue }
        open.append(place.container)
      }
    }
    return found
  }

  /// Bases before what needs them, then by name; what is outside the set last.
  func inOrder(_ numbers: some Sequence<Int>) -> [Int] {
    numbers.sorted {
      (depths[$0] ?? .max, containers[$0].name) < (depths[$1] ?? .max, containers[$1].name)
    }
  }

  /// What a container lacks.
  package func missing(_ number: Int) -> [Content] { containers[number].bases.filter { places[$0] == nil } }

  /// What reading all of a container reads.
  func chainByteCount(of number: Int) -> UInt64 { chain(of: number).reduce(0) { $0 &+ containers[$1].byteCount } }

  /// The containers that a container takes its bases from.
  package func providers(of number: Int) -> [Int] {
    Set(containers[number].bases.compactMap { places[$0]?.container }).sorted()
  }

  /// The deepest container of a chain's end: one that needs nothing.
  func keyframe(of number: Int) -> Int? {
    var number = number
    // Depth falls with each step.
    while let depth = depths[number], depth > 0 {
      guard let next = providers(of: number).max(by: { depths[$0] ?? 0 < depths[$1] ?? 0 }) else { return nil }
      number = next
    }
    return depths[number] == nil ? nil : number
  }
}
