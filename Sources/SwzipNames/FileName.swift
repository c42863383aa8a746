// Names of files are bytes, most of them UTF-8. As a `String` a name has each byte that belongs to no character as a scalar
// of its own: byte b as U+10FF00 + b, at the end of a private plane. Where a name has such scalars itself, each of their
// bytes becomes one in turn. So every name has its own `String`, which gives its bytes back.

extension String {
  /// The name of these bytes.
  package init(nameBytes bytes: some Collection<UInt8>) {
    if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: { $0.nameByte != nil })
    {
      self = text
      return
    }
    var name = String.UnicodeScalarView()
    var rest = Array(bytes)[...]
    while let first = rest.first {
      let count = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      let scalar = String(validating: rest.prefix(count), as: UTF8.self)?.unicodeScalars.first
      if let scalar, scalar.nameByte == nil {
        name.append(scalar)
        rest.removeFirst(count)
      } else {
        name.append(Unicode.Scalar(nameByte: first))
        rest.removeFirst()
      }
    }
    self = String(name)
  }

  /// The bytes of a name.
  package var nameBytes: [UInt8] {
    // Such scalars begin with this byte.
    guard utf8.contains(0xF4) else { return Array(utf8) }
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      if let byte = scalar.nameByte { bytes.append(byte) } else { bytes += Array(UTF8.encode(scalar)!) }
    }
    return bytes
  }

  /// The parts between slashes, empty ones too. By bytes: for a `Character` a slash with a mark on it is no slash.
  package var nameParts: [String] {
    utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(Substring($0)) }
  }

  /// Without `end`, nil if it ends otherwise. By bytes.
  package func withoutSuffix(_ end: String) -> String? {
    guard utf8.count >= end.utf8.count, utf8.suffix(end.utf8.count).elementsEqual(end.utf8) else { return nil }
    return String(Substring(utf8.dropLast(end.utf8.count)))
  }
}

extension Unicode.Scalar {
  private static let firstNameByte: UInt32 = 0x10FF00

  /// The byte of a name that the scalar stands for.
  package var nameByte: UInt8? { value >= Self.firstNameByte + 0x80 ? UInt8(value - Self.firstNameByte) : nil }

  fileprivate init(nameByte byte: UInt8) {
    self = Unicode.Scalar(Self.firstNameByte + UInt32(byte)) ?? "\u{FFFD}"
  }
}
