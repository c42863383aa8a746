/// A text that equals only what has the same bytes. A `String` equals all that means the same to a reader, at the cost of
/// sorting its accents; for a file or a tensor these are several names.
@propertyWrapper
package struct Exact: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
  package var wrappedValue: String

  package init(wrappedValue: String) { self.wrappedValue = wrappedValue }

  package init(_ text: String) { wrappedValue = text }

  package init(stringLiteral text: String) { wrappedValue = text }

  package static func == (left: Exact, right: Exact) -> Bool {
    let (one, other) = (left.wrappedValue.utf8, right.wrappedValue.utf8)
    return one.count == other.count && one.elementsEqual(other)
  }

  package static func < (left: Exact, right: Exact) -> Bool {
    left.wrappedValue.utf8.lexicographicallyPrecedes(right.wrappedValue.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var text = wrappedValue
    // The bytes are used inside the closure only.
    text.withUTF8 { bytes in unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
    hasher.combine(0xFF as UInt8)
  }
}
