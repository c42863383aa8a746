/// Files that are no models, told by their first bytes.
package enum KnownContent {
  private static let compressed: [(magic: [UInt8], name: String)] = [
    ([0x89, 0x53, 0x57, 0x5A, 0x0D, 0x0A, 0x1A, 0x0A], "swzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
    ([0x1F, 0x8B, 8], "gzip"), ([0x04, 0x22, 0x4D, 0x18], "lz4"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"),
    ([0x42, 0x5A, 0x68], "bzip2"),
  ]
  private static let pointer = Array("version https://git-lfs".utf8)
  private static let pages = ["<!doctype html", "<html"]
  /// Endings of model files' names.
  private static let models = [
    "bin", "ckpt", "distcp", "gguf", "ggml", "h5", "keras", "msgpack", "npy", "npz", "onnx", "pkl", "pt", "pt2", "pth",
    "safetensors", "tflite",
  ]

  /// One line for people; nil for anything that may be a model. `name`: the file's, empty if there is none.
  package static func warning(_ start: [UInt8], name: String = "") -> String? {
    if start.starts(with: pointer) {
      return "a git-LFS pointer, not the file that it stands for; fetch that with git lfs pull"
    }
    if models.contains(where: { name.hasSuffix("." + $0) }), isPage(start) {
      return "a web page, not a model; download the file again, logged in if that is needed"
    }
    guard let format = compressed.first(where: { start.starts(with: $0.magic) }) else { return nil }
    return "already compressed (\(format.name)); unpack it first to gain anything"
  }

  private static func isPage(_ start: [UInt8]) -> Bool {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = start.dropFirst(start.starts(with: mark) ? 3 : 0).drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let beginning = String(decoding: text.prefix(16), as: UTF8.self).lowercased()
    return pages.contains { beginning.hasPrefix($0) }
  }
}
