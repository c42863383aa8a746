internal import SwzipNames

/// "43.3 MiB". Sizes count by 1024, as disks and memories do.
func formatSize(_ byteCount: UInt64) -> String {
  guard byteCount >= 1024 else { return "\(byteCount) B" }
  var value = Double(byteCount) / 1024
  var units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][...]
  // 1023.95 would print as 1024.0.
  while value >= 1023.95, units.count > 1 {
    value /= 1024
    units.removeFirst()
  }
  return fixed(value, places: 1) + " " + (units.first ?? "")
}

/// "45,403,340".
func formatCount(_ count: UInt64) -> String {
  let digits = String(count)
  return digits.enumerated().map { place, digit in
    place > 0 && (digits.utf8.count - place) % 3 == 0 ? ",\(digit)" : "\(digit)"
  }.joined()
}

/// "1.1 GB/s". Rates count by 1000, as buses and networks do.
func formatRate(_ byteCount: UInt64, seconds: Double) -> String {
  guard seconds > 0 else { return "-" }
  let rate = Double(byteCount) / seconds
  return switch rate {
  case ..<999.5e3: fixed(rate / 1e3, places: 0) + " kB/s"
  case ..<999.5e6: fixed(rate / 1e6, places: 0) + " MB/s"
  default: fixed(rate / 1e9, places: 1) + " GB/s"
  }
}

/// "66.2%": what is left of the original.
func formatRatio(_ packed: UInt64, of raw: UInt64) -> String {
  raw == 0 ? "-" : fixed(100 * Double(packed) / Double(raw), places: 1) + "%"
}

func ratio(_ packed: UInt64, of raw: UInt64) -> JSONValue { raw == 0 ? .null : .decimal(Double(packed) / Double(raw)) }

/// "1:02:03", "0:07".
func formatDuration(_ seconds: Double) -> String {
  let total = Int(min(max(seconds, 0), 3_599_999).rounded(.up))
  let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
  return hours > 0 ? "\(hours):\(twoDigits(minutes)):\(twoDigits(rest))" : "\(minutes):\(twoDigits(rest))"
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// A number with exactly so many digits after the point, whatever the locale.
func fixed(_ value: Double, places: Int) -> String {
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  let scaled = (value.magnitude * scale).rounded()
  // Beyond 2^53 there are no fractions to print.
  guard scaled < 9e15 else { return value.description }
  let digits = String(Int(scaled))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
  let sign = value < 0 && scaled > 0 ? "-" : ""
  return places == 0 ? sign + padded : sign + padded.dropLast(places) + "." + padded.suffix(places)
}

/// "0644".
func formatMode(_ mode: UInt16) -> String {
  let digits = String(mode, radix: 8)
  return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}

/// Seconds since 1970: "1577934245.123456789".
func formatTime(_ time: FileTime) -> String {
  // Before 1970 the nanoseconds count forward from a second that counts down.
  let isNegative = time.seconds < 0 && time.nanoseconds > 0
  let seconds = isNegative ? time.seconds + 1 : time.seconds
  let digits = String(isNegative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds)
  let sign = isNegative && seconds == 0 ? "-" : ""
  return "\(sign)\(seconds)." + String(repeating: "0", count: 9 - digits.utf8.count) + digits
}

/// A name in at most `room` columns: the end of one tells more than its start.
func cut(_ name: String, to room: Int) -> String {
  let scalars = name.unicodeScalars
  guard scalars.count > room else { return name }
  return "…" + String(String.UnicodeScalarView(scalars.suffix(max(0, room - 1))))
}

/// "4096 × 1024".
func formatShape(_ shape: [UInt64]) -> String {
  shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: " × ")
}
