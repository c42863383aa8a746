internal import ArgumentParser

/// `-1` to `-9`, `--fast`, `--best`.
enum LevelFlag: Int, EnumerableFlag {
  case one = 1
  case two, three, four, five, six, seven, eight, nine

  static let standard = 3

  static func name(for value: LevelFlag) -> NameSpecification {
    let digit = Character(String(value.rawValue))
    return switch value {
    case .one: [.customShort(digit), .customLong("fast")]
    case .nine: [.customShort(digit), .customLong("best")]
    default: .customShort(digit)
    }
  }

  static func help(for value: LevelFlag) -> ArgumentHelp? {
    switch value {
    case .one: "Level 1: unpacks fastest."
    case .three: "Level 3, the default."
    case .five: "Level 5: smaller, unpacks at three quarters of the speed of level 3."
    case .seven: "Level 7: smaller again, by rANS, at half the speed of level 3."
    case .nine: "Level 9: smallest."
    default: ArgumentHelp(visibility: .hidden)
    }
  }
}
