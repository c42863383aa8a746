// A container that arrives in pieces.
// snippet.hide
import Swzip

func decode(_ pieces: [[UInt8]]) throws {
  // snippet.show
  final class Collected: OutputSink, @unchecked Sendable {
    var bytes: [UInt8] = []

    func write(_ more: UnsafeRawBufferPointer) throws(SwzipError) { bytes += more }

    // For containers that store once what occurs twice.
    func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
      buffer.copyBytes(from: bytes[Int(position)..<(Int(position) + buffer.count)])
    }
  }

  let sink = Collected()
  let decoder = try ContainerDecoder(to: sink)
  for piece in pieces { try piece.withUnsafeBytes { try decoder.push($0) } }
  let report = try decoder.finish()
  print(report.rawByteCount, sink.bytes.count)
  // snippet.hide
}
