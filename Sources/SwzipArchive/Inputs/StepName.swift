internal import SwzipNames

/// The step that trainers write in the names of checkpoints: `checkpoint-500`, `step_500`, `global_step500`, `iter_0000500`,
/// `epoch=1-step=500.ckpt`, `500`. Nil where a name says none.
package func step(inName name: String) -> UInt64? {
  let words = ["step", "checkpoint", "ckpt", "iteration", "iter"]
  let bytes = Array(name.utf8).map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
  for word in words {
    // The last place counts: in `step-checkpoint-step-500` too.
    let places = bytes.indices.filter { bytes[$0...].starts(with: word.utf8) }
    for place in places.reversed() {
      if let step = number(bytes[(place + word.utf8.count)...]) { return step }
    }
  }
  return number(bytes[...])
}

/// The digits that `text` begins with, behind a separator at most, up to the end or what is no part of a number.
private func number(_ text: ArraySlice<UInt8>) -> UInt64? {
  let separators: Set<UInt8> = [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "=")]
  let digits = (text.first.map(separators.contains) == true ? text.dropFirst() : text).prefix(while: isDigit)
  guard let step = UInt64(String(decoding: digits, as: UTF8.self)), step <= ContainerName.mostStep else { return nil }
  return step
}
