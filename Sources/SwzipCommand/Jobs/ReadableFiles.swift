internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What loaders, hubs and their counters of downloads look for by name beside the shards of a model: configuration, tokenizers,
/// indexes, cards. It is small, and stays as it is where each file of a folder is packed on its own.
enum ReadableFiles {
  private static let suffixes = [
    ".json", ".txt", ".md", ".jinja", ".yaml", ".yml", ".py", ".vocab", ".bpe", ".spm", ".tiktoken", ".bpe.model",
  ]
  private static let names = ["tokenizer.model", "spiece.model", ".gitattributes", "LICENSE"]
  /// `model.safetensors.index.json` and its like say which shard holds what, whatever their length.
  private static let indexSuffix = ".index.json"
  private static let endByteCount: UInt64 = 16 << 20

  static func has(_ file: TreeScan.File) -> Bool {
    if file.name.withoutSuffix(indexSuffix) != nil { return true }
    guard file.status.byteCount < endByteCount else { return false }
    let name = lastPart(file.name)
    return names.contains { Exact($0) == Exact(name) } || suffixes.contains { name.withoutSuffix($0) != nil }
  }
}
