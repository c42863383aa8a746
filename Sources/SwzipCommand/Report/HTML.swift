internal import SwzipCore

/// Markup. What is put into a literal is text and escaped, unless it is markup itself.
struct HTML: ExpressibleByStringInterpolation {
  let text: String
  /// Of a longer name the end is shown, so that no name makes a page large.
  static let longestName = 256

  init(markup: String) { text = markup }

  init(stringLiteral markup: String) { text = markup }

  init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

    mutating func appendLiteral(_ markup: String) { text += markup }

    mutating func appendInterpolation(_ words: String) { text += cut(words.printable, to: longestName).escaped }

    mutating func appendInterpolation(_ number: Int) { text += String(number) }

    mutating func appendInterpolation(_ markup: HTML) { text += markup.text }

    mutating func appendInterpolation(_ markup: [HTML]) { for markup in markup { text += markup.text } }
  }
}

extension String {
  fileprivate var escaped: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension HTML {
  /// A name, which breaks behind its dots and slashes first.
  static func name(_ name: String) -> HTML {
    var text = ""
    for character in ("\(name)" as HTML).text {
      text.append(character)
      if character == "." || character == "/" { text += "<wbr>" }
    }
    return HTML(markup: "<code>\(text)</code>")
  }

  /// What a Content-Security-Policy calls a style or script with this text.
  init(hashOf text: String) {
    var hash = SHA256Sum()
    hash.add(Array(text.utf8))
    self.init(markup: "'sha256-\(Self.base64(hash.finish()))'")
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for place in 0..<4 { text.append(place <= group.count ? digits[bits >> (18 - 6 * place) & 63] : "=") }
    }
    return text
  }
}
