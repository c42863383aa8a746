/// Files that are no models, told by their first bytes.
package enum KnownContent {
  private static let compressed: [(magic: [UInt8], name: String)] = [
    ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x1F, 0x8B], "gzip"), ([0x04, 0x22, 0x4D, 0x18], "lz4"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"), ([0x42, 0x5A, 0x68], "bzip2"),
  ]
  private static let pointer = Array("version https://git-lfs".utf8)

  /// One line for people; nil for anything that may be a model.
  package static func warning(_ start: [UInt8]) -> String? {
    if start.starts(with: pointer) { return "this is a git-LFS pointer, not a model" }
    guard let format = compressed.first(where: { start.starts(with: $0.magic) }) else { return nil }
    return "already compressed (\(format.name)); unpack it first to gain anything"
  }
}
