// Packing files, differences between them, and weights that change step by step.
// snippet.hide
import Swzip

func packVersions(_ first: [UInt8], _ second: [UInt8]) throws {
  // snippet.show
  var options = PackOptions()
  options.level = 3
  options.threads = 4
  _ = try pack(path: "step-100.pt", to: "step-100.pt.swz", options: options)
  // Differences to the step before, which is needed to read them.
  _ = try pack(path: "step-200.pt", bases: ["step-100.pt"], to: "step-200.pt.swz", options: options)
  _ = try unpack(path: "step-200.pt.swz", bases: ["step-100.pt.swz"], to: "step-200.copy.pt")

  // In memory: one side encodes each step, the other applies it.
  let sender = try first.withUnsafeBytes { try Snapshot($0) }
  let receiver = try first.withUnsafeBytes { try Snapshot($0) }
  let step = try second.withUnsafeBytes { try sender.encode($0, options: options) }
  try step.withUnsafeBytes { try receiver.apply($0) }
  receiver.withBytes { print($0.elementsEqual(second)) }

  // A call can be ended, here after a thousand jobs.
  nonisolated(unsafe) var jobs = 0
  options.control = Control {
    jobs += 1
    return jobs < 1000
  }
  // snippet.hide
}
