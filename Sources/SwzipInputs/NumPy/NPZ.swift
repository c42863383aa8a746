package import SwzipCore

/// An npz file: a zip archive of npy files. Arrays that are stored are mapped; deflated ones stay as they are.
package enum NPZ: ModelFormat {
  package static let name = "npz"
  private static let suffix = Array(".npy".utf8)

  /// Zip archives are many things: here the first entry is an npy file by its name.
  package static func recognises(_ start: [UInt8]) -> Bool {
    guard start.count > 30, start.starts(with: ZipDirectory.localMagic) else { return false }
    let nameBytes = Int(start[26..<28].littleEndianInteger)
    return start.dropFirst(30).prefix(nameBytes).suffix(4).elementsEqual(suffix)
  }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    guard let directory = try ZipDirectory(input) else { return nil }
    var map = FileMap()
    for entry in directory.entries where entry.isStored && entry.name.suffix(4).elementsEqual(suffix) {
      guard let range = try directory.dataRange(of: entry, in: input),
        let name = String(validating: entry.name.dropLast(4), as: UTF8.self)
      else { continue }
      var array = FileMap()
      guard let end = try NPY.add(input, from: range.lowerBound, name: name, to: &array) else { continue }
      guard let tensor = array.tensors.first, end == range.upperBound else { continue }
      guard tensor.offset >= map.tensors.last.map({ $0.offset + $0.byteCount }) ?? 0 else { return nil }
      map.tensors += array.tensors
      map.payloads += array.payloads.filter { $0.byteCount >= Payload.leastLoneBytes }
    }
    return map
  }
}
