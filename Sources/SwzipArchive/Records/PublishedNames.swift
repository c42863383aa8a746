internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// The names in an archive's folders, in a file that says them to who cannot list folders: readers of a web server
/// (spec/ARCHIVE.md, section 2). Who lists folders never reads it.
struct PublishedNames {
  static let fileName = "FILES"
  private static let version = "swzip-archive-files 1"
  private static let mostBytes = 16 << 20

  private let names: [Archive.Folder: [String]]

  init(_ names: [Archive.Folder: [String]]) { self.names = names }

  /// Reads that of the archive at a URL.
  init(of url: String) throws(SwzipError) {
    let file = join(url, Self.fileName)
    let bytes: [UInt8]
    do throws(SwzipError) { bytes = try smallFile(file, mostBytes: Self.mostBytes) } catch {
      throw SwzipError(
        error.kind, .system, file: file,
        detail: "\(error.text); what swzip archive publish writes has to be there, since no server lists folders")
    }
    guard let lines = SummedText.lines(bytes, mostBytes: Self.mostBytes), lines.first == Self.version else {
      throw SwzipError(.corrupt, .system, file: file, detail: "damaged, or of a newer version: publish it again")
    }
    var names: [Archive.Folder: [String]] = [:]
    for line in lines.dropFirst() {
      let parts = line.nameParts
      guard parts.count == 2, let folder = Archive.Folder(rawValue: parts[0]) else { continue }
      names[folder, default: []].append(parts[1])
    }
    self.names = names
  }

  subscript(folder: Archive.Folder) -> [String] { names[folder] ?? [] }

  var text: String {
    let lines = names.flatMap { folder, names in names.map { "\(folder.rawValue)/\($0)" } }
    return SummedText.make([Self.version] + lines.sorted { Exact($0) < Exact($1) })
  }
}
