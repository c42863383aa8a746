internal import Swzip
internal import SwzipCore

/// All members and tensors of a container as JSON, as the header says; it ends with a zero byte.
func description(of container: Container) -> [UInt8] {
  var text = JSONText()
  text.add("{\"members\":[")
  for (number, member) in container.members.enumerated() {
    text.add(number > 0 ? ",{\"name\":" : "{\"name\":")
    text.quote(member.name)
    text.add(",\"byte_count\":")
    text.add(member.byteCount)
    text.add(",\"link\":")
    text.quote(member.link?.target)
    text.add(",\"sha256\":")
    text.quote(member.sha256?.description)
    text.add(",\"mode\":")
    if let mode = member.mode { text.add(UInt64(mode)) } else { text.add("null") }
    text.add(",\"time\":")
    if let time = member.time {
      text.add(time.seconds < 0 ? "[-" : "[")
      text.add(time.seconds.magnitude)
      text.add(",")
      text.add(UInt64(time.nanoseconds))
      text.add("]}")
    } else {
      text.add("null}")
    }
  }
  text.add("],\"tensors\":[")
  for (number, tensor) in container.tensors.enumerated() {
    text.add(number > 0 ? ",[" : "[")
    text.quote(tensor.name)
    text.add(",")
    text.quote(tensor.elementType)
    for (place, extent) in tensor.shape.enumerated() {
      text.add(place == 0 ? ",[" : ",")
      text.add(extent)
    }
    text.add(tensor.shape.isEmpty ? ",[]," : "],")
    text.add(UInt64(tensor.member))
    text.add(",")
    text.add(tensor.offset)
    text.add(",")
    text.add(tensor.byteCount)
    text.add("]")
  }
  text.add("],\"packed_byte_count\":")
  text.add(container.containerByteCount)
  text.add(",\"root\":")
  text.quote(container.root.description)
  text.add("}\0")
  return text.bytes
}

/// A diagnosis as JSON; it ends with a zero byte.
func description(of found: Diagnosis) -> [UInt8] {
  var text = JSONText()
  text.add("{\"version\":")
  text.quote(found.version)
  text.add(",\"format\":")
  text.quote(found.format)
  text.add(",\"kernels\":")
  text.quote(found.kernels)
  text.add(",\"processors\":")
  text.add(UInt64(found.processors))
  text.add(",\"copy_rate\":")
  text.add(UInt64(found.copyRate))
  for (name, rates) in [
    (",\"pack_rates\":[" as StaticString, found.packRates), (",\"unpack_rates\":[", found.unpackRates),
  ] {
    text.add(name)
    text.add(UInt64(rates.one))
    text.add(",")
    text.add(UInt64(rates.all))
    text.add("]")
  }
  text.add(",\"faults\":[")
  for (number, fault) in found.faults.enumerated() {
    if number > 0 { text.add(",") }
    text.quote(fault)
  }
  text.add("]}\0")
  return text.bytes
}

/// Bytes of JSON: a container may have hundreds of thousands of tensors, and a `String` takes five times as long.
private struct JSONText {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ text: StaticString) {
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func add(_ number: UInt64) {
    let start = bytes.count
    var rest = number
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  mutating func quote(_ text: String?) {
    guard let text else { return add("null") }
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0..<0x20:
        add(byte < 0x10 ? "\\u000" : "\\u001")
        bytes.append(Array("0123456789abcdef".utf8)[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
