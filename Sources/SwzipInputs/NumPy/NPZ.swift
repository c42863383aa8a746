package import SwzipCore
internal import SwzipNames

/// An npz file: a zip archive of npy files. Arrays that are stored are mapped; deflated ones stay as they are.
package enum NPZ: ModelFormat {
  package static let name = "npz"

  /// Zip archives are many things: here the first entry is an npy file by its name.
  package static func recognises(_ start: [UInt8]) -> Bool {
    guard start.count > 30, start.starts(with: ZipLocalHeader.magic) else { return false }
    let nameBytes = Int(start[26..<28].littleEndianInteger)
    return start.dropFirst(30).prefix(nameBytes).suffix(4).elementsEqual(".npy".utf8)
  }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var window = InputWindow(input)
    guard let end = input.byteCount else { return .ofPipe }
    guard let archive = try ZipArchive(before: end, &window) else { return nil }
    var map = FileMap()
    // By bytes: as characters hostile names take the square of their length.
    let arrays = archive.records.compactMap { record in record.name.withoutSuffix(".npy").map { (record, $0) } }
    for (record, name) in arrays where record.isStored {
      var array = FileMap()
      let end = try NPY.add(input, from: record.offset, name: name, to: &array)
      // A header may tell of more bytes than the record has.
      guard end == record.offset + record.byteCount else { continue }
      map.tensors += array.tensors
      map.payloads += array.payloads
    }
    let compressed = arrays.count { !$0.0.isStored }
    if compressed > 0 {
      map.warnings.append(
        "\(compressed) of \(arrays.count) arrays are compressed already; savez, not savez_compressed, leaves them to swzip"
      )
    }
    return map
  }
}
