internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// Whether a file is as long as it says itself: one that was not written to its end would be found out when it is needed.
struct WholeFile {
  private let name: String
  private let input: FileBytes
  private let byteCount: UInt64

  init(_ files: CheckpointFiles, _ name: String) throws(SwzipError) {
    self.name = name
    input = try files.open(name)
    byteCount = input.byteCount ?? 0
  }

  /// Of kinds of files that are never empty.
  private static let torch = [".pt", ".pth", ".bin", ".ckpt", ".pkl"]
  private static let mostJSONBytes: UInt64 = 64 << 20

  /// True for what it does not know.
  func isWhole() throws(SwzipError) -> Bool {
    func ends(_ end: String) -> Bool { name.withoutSuffix(end) != nil }
    if ends(".safetensors") { return try isWholeSafetensors() }
    if ends(".json") { return try byteCount <= Self.mostJSONBytes ? isWholeJSON() : true }
    if ends(".distcp") || Self.torch.contains(where: ends) {
      guard byteCount > 0 else { return false }
      return try TorchFacts.isWhole(input)
    }
    return true
  }

  private func isWholeSafetensors() throws(SwzipError) -> Bool {
    let start = try input.peek(9)
    guard start.count == 9 else { return false }
    guard let header = SafetensorsHeader.byteCount(announcedBy: start) else { return true }
    guard UInt64(header) <= byteCount else { return false }
    let tensors = SafetensorsHeader(try input.peek(header))?.tensors ?? []
    return tensors.allSatisfy { $0.offset + $0.byteCount <= byteCount }
  }

  /// Whether all brackets are closed.
  private func isWholeJSON() throws(SwzipError) -> Bool {
    let bytes = try input.peek(Int(byteCount))
    guard !bytes.isEmpty else { return false }
    guard let first = bytes.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
      return true
    }
    var (depth, isText, isEscaped) = (0, false, false)
    for byte in bytes {
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isText = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
    return depth <= 0 && !isText
  }
}
