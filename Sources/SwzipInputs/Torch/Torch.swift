package import SwzipCore

/// Files of torch.save, old and new, TorchScript, torch.export, the parts of distributed checkpoints, and what else is a
/// zip archive or a pickle.
package enum Torch: ModelFormat {
  package static let name = "torch"

  package static func recognises(_ start: [UInt8]) -> Bool {
    isCertain(start) || start.starts(with: ZipLocalHeader.magic) || isPickle(start)
  }

  /// torch's zip writer leaves version, method, time and date of the first record zero, says that names are UTF-8 and,
  /// unless the record is empty, that sizes follow it.
  package static func isCertain(_ start: [UInt8]) -> Bool {
    if LegacyTorch.recognises(start) { return true }
    return start.count >= 14 && start.starts(with: ZipLocalHeader.magic + [0, 0]) && start[6] & ~8 == 0
      && start[7] == 8 && start[8..<14].allSatisfy { $0 == 0 }
  }

  /// Protocol 2 to 5; from 4 on a frame follows.
  private static func isPickle(_ start: [UInt8]) -> Bool {
    start.count >= 12 && start[0] == 0x80
      && (2...3 ~= start[1] || 4...5 ~= start[1] && start[2] == 0x95 && start[8] | start[9] | start[10] == 0)
  }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var window = InputWindow(input)
    let start = try input.peek(Formats.sniffBytes)
    if LegacyTorch.recognises(start) { return try LegacyTorch.map(&window) }
    if isPickle(start) { return try pickle(window) }
    if input.byteCount == nil { return try TorchZipStream.map(&window) ?? (isCertain(start) ? .ofPipe : nil) }
    return try TorchZip.map(&window, isTorch: isCertain(start))
  }

  /// An archive at the end of a file that begins with something else. Nil if there is none with tensors in it.
  package static func mapOfTail(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    guard let end = input.byteCount, end > ZipArchive.leastBytes,
      try input.bytes(at: end - ZipArchive.leastBytes, count: 4) == [0x50, 0x4B, 5, 6]
    else { return nil }
    var window = InputWindow(input)
    return try TorchZip.map(&window, isTorch: false)
  }

  /// A pickle with arrays in it.
  private static func pickle(_ window: InputWindow<some InputBytes>) throws(SwzipError) -> FileMap? {
    guard let pickle = try PickleMachine.run(window, at: 0), !pickle.objects.arrays.isEmpty else { return nil }
    var torch = TorchMap()
    torch.add(pickle, at: [:])
    var map = torch.finish()
    map.format = "pickle"
    return map.tensors.isEmpty && map.payloads.isEmpty ? nil : map
  }
}
