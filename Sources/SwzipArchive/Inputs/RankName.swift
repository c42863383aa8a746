internal import SwzipNames

/// The numbers of ranks in the name of a file that a sharded run wrote: `__3_0.distcp`, `rng_state_3.pth`,
/// `zero_pp_rank_3_mp_rank_01_optim_states.pt`, `mp_rank_01_002/model_optim_rng.pt`, `model_world_size_8_rank_3.pt`.
struct RankName {
  /// A number, and what stands before it.
  struct Axis {
    let word: Word
    let number: Int
    let digits: Int
  }

  enum Word: String, CaseIterable {
    case distcp = "__"
    case layerExpert = "_expert_"
    case layerPart = "-model_"
    case layerWise = "layer_wise_optimizer_"
    case random = "random_states_"
    case rng = "rng_state_"
    case shard = "shard-"
    case data = "zero_pp_rank_"
    case expert = "expp_rank_"
    case model = "mp_rank_"
    case rank = "rank_"
    case fsdp = "rank"
    /// More numbers behind those of `model`: of a folder of Megatron.
    case pipeline, experts

    /// Of others an index says what must be there.
    var isOfEachRank: Bool { self != .distcp && self != .shard && self != .layerWise }
  }

  /// At least one.
  private(set) var axes: [Axis] = []
  /// What is around the numbers: one more than there are.
  private(set) var pieces: [Exact] = []
  /// How many ranks there are, where the name says so.
  private(set) var count: Int?

  var words: [Word] { axes.map(\.word) }

  private static let ends = [".pt", ".pth", ".bin", ".pkl", ".ckpt", ".safetensors", ".distcp", ".metadata"]

  /// Nil for a name without ranks, or of a kind of file that frameworks do not write by rank.
  init?(_ name: String) {
    guard Self.ends.contains(where: { name.withoutSuffix($0) != nil }) else { return nil }
    let bytes = Array(name.utf8)
    // Since the last number of a rank.
    var text: [UInt8] = []
    var place = 0
    while place < bytes.count {
      guard isDigit(bytes[place]), let number = Self.number(bytes, at: place) else {
        text.append(bytes[place])
        place += 1
        continue
      }
      if let word = word(before: text, bytes, behind: number.end) {
        axes.append(Axis(word: word, number: number.value, digits: number.end - place))
        pieces.append(Exact(String(decoding: text, as: UTF8.self)))
        text = []
      } else {
        if Self.ends(text, "world_size_") { count = number.value }
        text += bytes[place..<number.end]
      }
      place = number.end
    }
    guard !axes.isEmpty else { return nil }
    pieces.append(Exact(String(decoding: text, as: UTF8.self)))
  }

  /// The name with other numbers, of at least so many digits.
  static func name(_ pieces: [Exact], _ numbers: [Int], digits: [Int]) -> String {
    let words = zip(numbers, digits).map { padded(String($0), to: $1) } + [""]
    return zip(pieces, words).map { $0.wrappedValue + $1 }.joined()
  }

  /// What makes a number behind `text` one of ranks.
  private func word(before text: [UInt8], _ bytes: [UInt8], behind end: Int) -> Word? {
    // `mp_rank_01_002_003`
    if text == [UInt8(ascii: "_")], let last = axes.last?.word {
      switch last {
      case .model: return .pipeline
      case .pipeline: return .experts
      default: break
      }
    }
    guard let word = Word.allCases.first(where: { Self.ends(text, $0.rawValue) }) else { return nil }
    let start = text.count - word.rawValue.utf8.count
    let isFirst = start == 0 ? axes.isEmpty : text[start - 1] == UInt8(ascii: "/")
    switch word {
    // `__3_0.distcp`, `__3.metadata`
    case .distcp: return isFirst ? word : nil
    case .shard: return isFirst && Self.begins(bytes[end...], "-model-") ? word : nil
    case .layerPart: return Self.begins(bytes[end...], "-model_states.pt") ? word : nil
    case .pipeline, .experts: return nil
    // Letters before it make another word.
    case .rank: return start == 0 || !Self.isLetter(text[start - 1]) ? word : nil
    case .fsdp: return isFirst || Self.ends(text, "fsdp_rank") ? word : nil
    default: return word
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

  private static func ends(_ text: [UInt8], _ word: String) -> Bool {
    text.suffix(word.utf8.count).elementsEqual(word.utf8)
  }

  private static func begins(_ text: ArraySlice<UInt8>, _ word: String) -> Bool { text.starts(with: word.utf8) }

  /// At most six digits: no run has more ranks.
  private static func number(_ bytes: [UInt8], at start: Int) -> (value: Int, end: Int)? {
    let digits = bytes[start...].prefix(while: isDigit)
    guard digits.count <= 6, let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    return (value, digits.endIndex)
  }
}
