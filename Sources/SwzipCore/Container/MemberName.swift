/// Names of members (spec/FORMAT.md, section 8): a path that can be created below any directory and nowhere else.
package enum MemberName {
  private static let devices: Set<String> = Set(
    ["con", "prn", "aux", "nul"] + (1...9).flatMap { ["com\($0)", "lpt\($0)"] })

  package static func isValid(_ name: String) -> Bool {
    guard name.utf8.count <= 4096 else { return false }
    guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: ":") })
    else { return false }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count <= 32 && parts.allSatisfy(isValidPart)
  }

  private static func isValidPart(_ part: Substring) -> Bool {
    guard let last = part.utf8.last, part.utf8.count <= 255, part != ".", part != ".." else { return false }
    guard last != UInt8(ascii: " "), last != UInt8(ascii: ".") else { return false }
    let stem = part.prefix { $0 != "." }.lowercased()
    return !devices.contains(stem)
  }

  /// The name of a member: empty for the only member of a packed file.
  static func read(_ reader: inout ByteReader, byteCount: Int) throws(SwzipError) -> String {
    let name = try reader.string(byteCount)
    guard name.isEmpty || isValid(name) else { throw reader.failure(.name) }
    return name
  }
}
