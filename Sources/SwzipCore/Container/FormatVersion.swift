/// A version of the format (spec/FORMAT.md, section 10).
package struct FormatVersion: Comparable, Sendable, CustomStringConvertible {
  package let major, minor: UInt16

  package init(major: UInt16, minor: UInt16) {
    self.major = major
    self.minor = minor
  }

  /// The oldest that is read.
  package static let oldest = FormatVersion(major: 0, minor: 1)
  /// The newest that is read, and the one that is written.
  package static let current = FormatVersion(major: 0, minor: 4)

  /// As the header has it for the lowest reader.
  package var number: UInt16 { major << 8 | minor }
  package var description: String { "\(major).\(minor)" }

  package static func < (left: FormatVersion, right: FormatVersion) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}
