import Foundation

/// BERT's: small letters without accents, cut into the longest pieces that the vocabulary has.
struct Tokenizer {
  /// By the scalars of a piece, as a `String` would equal others that mean the same.
  private let numbers: [[Unicode.Scalar]: Int]
  private let unknown, start, end: Int

  /// `vocabulary`: a piece on each line; those that go on a word begin with "##".
  init(vocabulary: String) {
    let pieces = vocabulary.unicodeScalars.split(separator: "\n").map(Array.init)
    let numbers = Dictionary(uniqueKeysWithValues: zip(pieces, 0...))
    func number(_ piece: String) -> Int { numbers[Array(piece.unicodeScalars)]! }
    (unknown, start, end) = (number("[UNK]"), number("[CLS]"), number("[SEP]"))
    self.numbers = numbers
  }

  /// At most 256 with those around it.
  func tokens(of text: String) -> [Int] { [start] + words(of: text).flatMap(pieces).prefix(254) + [end] }

  /// What stands between spaces; marks and Chinese characters each for themselves.
  private func words(of text: String) -> [[Unicode.Scalar]] {
    var words: [[Unicode.Scalar]] = [[]]
    for scalar in text.decomposedStringWithCanonicalMapping.unicodeScalars {
      if scalar.isSpace {
        words.append([])
      } else if scalar.standsAlone {
        words += [[scalar], []]
      } else if !scalar.isDropped {
        words[words.count - 1] += scalar.properties.lowercaseMapping.unicodeScalars
      }
    }
    return words.filter { !$0.isEmpty }
  }

  private func pieces(of word: [Unicode.Scalar]) -> [Int] {
    guard word.count <= 100 else { return [unknown] }
    var found: [Int] = []
    var rest = word[...]
    while !rest.isEmpty {
      let mark: [Unicode.Scalar] = found.isEmpty ? [] : ["#", "#"]
      guard let count = (1...rest.count).last(where: { numbers[mark + rest.prefix($0)] != nil }) else {
        return [unknown]
      }
      found.append(numbers[mark + rest.prefix(count)]!)
      rest = rest.dropFirst(count)
    }
    return found
  }
}

extension Unicode.Scalar {
  fileprivate var isSpace: Bool {
    switch properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator: true
    default: self == "\t" || self == "\n" || self == "\r"
    }
  }

  fileprivate var standsAlone: Bool {
    switch (value, properties.generalCategory) {
    case (0x21...0x2F, _), (0x3A...0x40, _), (0x5B...0x60, _), (0x7B...0x7E, _): true
    case (0x3400...0x4DBF, _), (0x4E00...0x9FFF, _), (0xF900...0xFAFF, _), (0x20000...0x2CEAF, _): true
    case (_, .connectorPunctuation), (_, .dashPunctuation), (_, .openPunctuation), (_, .closePunctuation): true
    case (_, .initialPunctuation), (_, .finalPunctuation), (_, .otherPunctuation): true
    default: false
    }
  }

  /// Accents, and what nobody sees.
  fileprivate var isDropped: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .control, .format, .privateUse: true
    default: self == "\u{FFFD}"
    }
  }
}
