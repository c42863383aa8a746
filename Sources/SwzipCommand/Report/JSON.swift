internal import SwzipCore
internal import SwzipNames

/// A JSON value to be written.
indirect enum JSONValue: Sendable {
  case string(String)
  case integer(UInt64)
  /// Six digits after the point: times and ratios.
  case decimal(Double)
  case bool(Bool)
  case array([JSONValue])
  case object(JSONObject)
  case null

  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  static func digest(_ digest: Digest?) -> JSONValue { optional(digest?.description) }

  var text: String {
    switch self {
    case .string(let value): quote(value)
    case .integer(let value): String(value)
    case .decimal(let value): value.isFinite ? fixed(value, places: 6) : "null"
    case .bool(let value): value ? "true" : "false"
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let value): value.text
    case .null: "null"
    }
  }
}

/// Fields in the order in which they were named.
struct JSONObject: ExpressibleByDictionaryLiteral, Sendable {
  typealias Key = String
  typealias Value = JSONValue

  private struct Field: Sendable {
    let key: String
    let value: JSONValue
  }

  private var fields: [Field]

  init(dictionaryLiteral elements: (String, JSONValue)...) { fields = elements.map { Field(key: $0.0, value: $0.1) } }

  subscript(key: String) -> JSONValue? {
    get { fields.first { $0.key == key }?.value }
    set {
      fields.removeAll { $0.key == key }
      if let newValue { fields.append(Field(key: key, value: newValue)) }
    }
  }

  mutating func append(_ other: JSONObject) { fields += other.fields }

  var text: String { "{" + fields.map { quote($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}" }
}

private func quote(_ text: String) -> String {
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": quoted += "\\\""
    case "\\": quoted += "\\\\"
    case "\n": quoted += "\\n"
    case "\t": quoted += "\\t"
    case "\0"..<" ", "\u{7f}":
      let digits = String(scalar.value, radix: 16)
      quoted += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    default:
      // A byte of a name that is no UTF-8 is shown as everywhere: \xFF.
      if let byte = scalar.nameByte {
        quoted += "\\\\x" + String(byte, radix: 16)
      } else {
        quoted.unicodeScalars.append(scalar)
      }
    }
  }
  return quoted + "\""
}
