import SwzipTestSupport
import Testing

/// Texts that were looked at once and must not change by accident. `SWZIP_UPDATE_SNAPSHOTS=1` writes them anew.
enum Snapshot {
  private static let folder: String = {
    let file = #filePath
    return String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]) + "/Snapshots/"
  }()

  static func expect(_ text: String, named name: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let path = folder + name + ".txt"
    if TestFolder.environment("SWZIP_UPDATE_SNAPSHOTS") == "1" {
      TestFolder.write(path, Array(text.utf8))
      return
    }
    let expected = TestFolder.read(path).map { String(decoding: $0, as: UTF8.self) }
    #expect(text == expected, "the text differs from Snapshots/\(name).txt", sourceLocation: sourceLocation)
  }
}
