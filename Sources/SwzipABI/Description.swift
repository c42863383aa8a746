internal import Swzip
internal import SwzipArchive
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
  text.add(",\"faults\":")
  text.quote(found.faults)
  text.add("}\0")
  return text.bytes
}

/// What an archive holds as JSON, as the header says; it ends with a zero byte.
func description(of archive: Archive, _ holdings: Holdings) -> [UInt8] {
  let resolution = holdings.resolution
  var text = JSONText()
  text.add("{\"id\":")
  text.quote(archive.identity.id.description)
  text.add(",\"latest\":")
  text.quote(holdings.latest?.name)
  text.add(",\"checkpoints\":[")
  for (number, checkpoint) in holdings.checkpoints().enumerated() {
    let parts = checkpoint.parts.map { holdings.containers[$0] }
    func sum(_ value: (StoredContainer) -> UInt64) -> UInt64 { parts.reduce(0) { $0 &+ value($1) } }
    text.add(number > 0 ? ",{\"name\":" : "{\"name\":")
    text.quote(checkpoint.name)
    text.add(",\"id\":")
    text.quote(checkpoint.identity.description)
    for (name, value) in [
      (",\"step\":" as StaticString, checkpoint.step), (",\"attempt\":", UInt64(checkpoint.attempt)),
      (",\"byte_count\":", sum(\.originalByteCount)), (",\"packed_byte_count\":", sum(\.byteCount)),
      (",\"files\":", sum { UInt64($0.files.count) }), (",\"tensors\":", sum { UInt64($0.tensorCount) }),
    ] {
      text.add(name)
      text.add(value)
    }
    text.add(",\"depth\":")
    if let depth = checkpoint.depth { text.add(UInt64(depth)) } else { text.add("null") }
    text.add(",\"bases\":")
    let bases = Set(checkpoint.parts.flatMap(resolution.providers)).sorted()
    text.quote(bases.map { "\(holdings.containers[$0].record.step)" })
    text.add(",\"tags\":")
    text.quote(checkpoint.tags)
    text.add(",\"container\":")
    text.quote(parts.first?.path)
    text.add(",\"parts\":")
    text.add(UInt64(checkpoint.partCount))
    text.add(",\"parts_there\":")
    text.add(UInt64(parts.count))
    text.add(",\"inexact\":[")
    text.add(holdings.inexact(checkpoint))
    text.add("]}")
  }
  text.add("],\"unreadable\":[")
  for (number, found) in holdings.unreadable.enumerated() {
    text.add(number > 0 ? ",{\"container\":" : "{\"container\":")
    text.quote(found.name.text)
    text.add(",\"text\":")
    text.quote(found.error.text)
    text.add("}")
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

  /// The files of the records.
  mutating func add(_ records: [InexactRecord]) {
    let files = records.flatMap { record in record.files.map { (record.policy, $0) } }
    for (number, (policy, file)) in files.enumerated() {
      add(number > 0 ? ",{\"name\":" : "{\"name\":")
      quote(file.name)
      add(",\"bound\":")
      quote(policy)
      add(",\"source_sha256\":")
      quote(file.sourceSHA256.description)
      add(",\"tensors\":")
      add(file.tensorCount)
      add("}")
    }
  }

  mutating func quote(_ texts: [String]) {
    add("[")
    for (number, text) in texts.enumerated() {
      if number > 0 { add(",") }
      quote(text)
    }
    add("]")
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
