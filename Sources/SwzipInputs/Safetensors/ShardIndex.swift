internal import SwzipNames

/// The index of a model in several files, of safetensors or torch: `weight_map` says for each tensor which file holds it.
package enum ShardIndex {
  /// The files that it names, each once; none for other JSON, nil for what is not whole.
  package static func shards(_ bytes: [UInt8]) -> [String]? {
    var reader = JSONReader(bytes, from: 0)
    var shards = Set<Exact>()
    let isWhole = reader.object { reader, key in
      guard key == "weight_map" else { return reader.skipValue(depth: 1) }
      return reader.object { reader, _ in
        guard let shard = reader.string() else { return false }
        shards.insert(Exact(shard))
        return true
      }
    }
    guard isWhole, reader.isAtEnd() else { return nil }
    return shards.sorted().map(\.wrappedValue)
  }
}
