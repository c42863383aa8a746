internal import SwzipNames

/// The files that ranks wrote, one each: of every kind there must be one for each rank that is known of in its folder.
struct RankGrid {
  fileprivate struct Family {
    let kind: Kind
    var members: Set<[Int]> = []
    /// Digits of the numbers, at least.
    var widths: [Int] = []
    var count: Int?
  }

  fileprivate struct Kind: Hashable {
    let pieces: [Exact]
    let words: [RankName.Word]
  }

  private let families: [Family]

  init(_ names: some Sequence<String>) {
    var found: [Kind: Family] = [:]
    for name in names {
      guard let name = RankName(name), name.words.allSatisfy(\.isOfEachRank) else { continue }
      let kind = Kind(pieces: name.pieces, words: name.words)
      found[kind, default: Family(kind: kind)].add(name)
    }
    families = found.values.filter { !$0.isSomethingElse }.sorted {
      $0.kind.pieces.lexicographicallyPrecedes($1.kind.pieces)
    }
  }

  /// A file that is missing, by its name.
  func missing() -> String? {
    // Of each folder.
    var extents: [Exact: [RankName.Word: Int]] = [:]
    for family in families {
      for (word, most) in zip(family.words, family.most) {
        extents[family.place, default: [:]][word] = max(extents[family.place]?[word] ?? 0, most)
      }
    }
    for family in families {
      let most = family.words.map { extents[family.place]?[$0] ?? 0 }
      if let numbers = family.missing(upTo: most) { return family.text(numbers) }
    }
    return nil
  }

  /// How many ranks there are by the files with such a number alone, at least; nil without these.
  func count(_ word: RankName.Word) -> Int? {
    families.filter { $0.words == [word] }.map { $0.most[0] + 1 }.max()
  }
}

extension RankGrid.Family {
  fileprivate var words: [RankName.Word] { kind.words }

  /// `lora_rank_16.pt` is no rank's.
  fileprivate var isSomethingElse: Bool {
    words == [.rank] && count == nil && members.count == 1 && !members.contains([0])
  }

  /// The folder of the first part of the name with a number in it.
  fileprivate var place: Exact {
    Exact(kind.pieces[0].wrappedValue.nameParts.dropLast().joined(separator: "/"))
  }

  fileprivate mutating func add(_ name: RankName) {
    count = name.count
    members.insert(name.axes.map(\.number))
    let digits = name.axes.map(\.digits)
    widths = widths.isEmpty ? digits : zip(widths, digits).map { min($0, $1) }
  }

  /// The greatest number of each word.
  fileprivate var most: [Int] {
    words.indices.map { axis in
      max(members.map { $0[axis] }.max() ?? 0, words[axis] == .rank ? (count ?? 0) - 1 : 0)
    }
  }

  /// The first of all numbers up to `most` that is not there.
  fileprivate func missing(upTo most: [Int]) -> [Int]? {
    var numbers = most.map { _ in 0 }
    // Ends: all but one at most of what it looks at is there.
    while members.contains(numbers) {
      guard let axis = numbers.indices.last(where: { numbers[$0] < most[$0] }) else { return nil }
      numbers[axis] += 1
      for later in numbers.indices where later > axis { numbers[later] = 0 }
    }
    return numbers
  }

  fileprivate func text(_ numbers: [Int]) -> String { RankName.name(kind.pieces, numbers, digits: widths) }
}
