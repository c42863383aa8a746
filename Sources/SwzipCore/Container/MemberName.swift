internal import SwzipNames

/// Names of members (spec/FORMAT.md, section 8): a path that leads below any directory and nowhere else.
package enum MemberName {
  package static func isValid(_ name: String) -> Bool {
    let bytes = name.nameBytes
    guard bytes.count <= Limits.nameBytes, !bytes.contains(0) else { return false }
    let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.count <= 32
      && parts.allSatisfy { part in
        1...255 ~= part.count && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
      }
  }

  /// The name of a member: empty for the only member of a packed file.
  static func read(_ reader: inout ByteReader, byteCount: Int) throws(SwzipError) -> String {
    let name = String(nameBytes: try reader.array(byteCount))
    guard name.isEmpty || isValid(name) else { throw reader.failure(.name) }
    return name
  }
}
