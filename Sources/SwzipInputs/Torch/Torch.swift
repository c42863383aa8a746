package import SwzipCore

/// Files of torch.save, old and new, TorchScript, and the parts of distributed checkpoints.
package enum Torch: ModelFormat {
  package static let name = "torch"

  /// torch's zip writer leaves version, method, time and date of the first record zero, says that names are UTF-8 and,
  /// unless the record is empty, that sizes follow it.
  package static func recognises(_ start: [UInt8]) -> Bool {
    if start.starts(with: LegacyTorch.magic) { return true }
    return start.count >= 14 && start.starts(with: ZipLocalHeader.magic + [0, 0]) && start[6] & ~8 == 0
      && start[7] == 8 && start[8..<14].allSatisfy { $0 == 0 }
  }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var window = InputWindow(input)
    if try input.peek(LegacyTorch.magic.count) == LegacyTorch.magic { return try LegacyTorch.map(&window) }
    return input.byteCount == nil ? try TorchZipStream.map(&window) : try TorchZip.map(&window)
  }
}
