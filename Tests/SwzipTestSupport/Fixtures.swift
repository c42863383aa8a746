/// The files in the folder Fixtures.
public enum Fixtures {
  private static let folder =
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/") + "/Fixtures/"

  public static func bytes(_ name: String) -> [UInt8] {
    guard let bytes = TestFolder.read(folder + name) else { preconditionFailure("no fixture \(name)") }
    return bytes
  }

  /// The lines of a text, each cut into at most `most` fields.
  public static func lines(_ name: String, separator: Character, most: Int = .max) -> [[String]] {
    String(decoding: bytes(name), as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: separator, maxSplits: most - 1, omittingEmptySubsequences: false).map(String.init)
    }
  }
}
