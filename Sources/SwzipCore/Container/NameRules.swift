internal import SwzipNames

/// What systems let a file be called; the format asks less of names (spec/FORMAT.md, section 8).
package enum NameRules: CaseIterable {
  case linux, macOS, windows

  /// Those of the system that this runs on.
  package static var here: NameRules {
    #if os(Windows)
      .windows
    #elseif canImport(Darwin)
      .macOS
    #else
      .linux
    #endif
  }

  /// Whether a file of this name, which the format allows, can be created.
  package func allows(_ name: String) -> Bool {
    switch self {
    case .linux: true
    case .macOS: Self.isUTF8(name)
    case .windows: Self.isUTF8(name) && name.nameParts.allSatisfy(Self.isAllowedOnWindows)
    }
  }

  /// Throws unless this system can create a file of this name.
  package static func checkHere(_ name: String) throws(SwzipError) {
    guard !here.allows(name) else { return }
    throw SwzipError(.refused, .nameHere, detail: name)
  }

  private static func isUTF8(_ name: String) -> Bool { String(validating: name.nameBytes, as: UTF8.self) != nil }

  private static let devices: Set<String> = Set(
    ["con", "prn", "aux", "nul"] + (1...9).flatMap { ["com\($0)", "lpt\($0)"] })

  private static func isAllowedOnWindows(_ part: String) -> Bool {
    let bytes = Array(part.utf8)
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && !"<>:\"\\|?*".utf8.contains($0) }) else { return false }
    guard bytes.last != UInt8(ascii: " "), bytes.last != UInt8(ascii: ".") else { return false }
    let stem = bytes.prefix { $0 != UInt8(ascii: ".") }
    return stem.count > 4 || !devices.contains(String(decoding: stem, as: UTF8.self).lowercased())
  }
}

/// What is said of the names of a folder that is packed: a person of another system should know.
package struct NameWarnings {
  private var foreign: (first: String, count: Int) = ("", 0)
  private var alike: (first: String, count: Int) = ("", 0)
  private var keys = Set<String>()

  package init() {}

  package mutating func add(_ name: String) {
    if !NameRules.allCases.allSatisfy({ $0.allows(name) }) {
      if foreign.count == 0 { foreign.first = name }
      foreign.count += 1
    }
    // Strings compare by canonical equivalence, which covers the normal forms of Unicode; upper-casing first brings together
    // what lower-casing alone leaves apart.
    if !keys.insert(name.uppercased().lowercased()).inserted {
      if alike.count == 0 { alike.first = name }
      alike.count += 1
    }
  }

  package var lines: [String] {
    [
      Self.line(foreign, "some systems cannot create a file of this name", "some systems cannot create"),
      Self.line(alike, "some systems take this name for another one", "some systems take for other ones"),
    ].compactMap { $0 }
  }

  private static func line(_ found: (first: String, count: Int), _ one: String, _ several: String) -> String? {
    switch found.count {
    case 0: nil
    case 1: "\(found.first.printable): \(one)"
    default: "\(found.count) names that \(several): \(found.first.printable), …"
    }
  }
}
