import SwzipTestSupport
import Testing

/// The built command, run in a folder of its own.
final class Command {
  let folder = TestFolder()

  struct Outcome {
    let status: Int32
    let output: [UInt8]
    /// One a line.
    let errors: [String]
    let terminal: String

    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Beside the test bundle, where the build puts products.
  static let program: String = {
    let bundle = CommandLine.arguments[0]
    let end = bundle.lastIndex(of: "/") ?? bundle.startIndex
    var parent = String(bundle[..<end])
    // A test bundle of macOS is a folder; its program is three folders down.
    if let range = parent.range(ofSuffixFrom: ".xctest") { parent = String(parent[..<range]) }
    return parent + "/swzip"
  }()

  @discardableResult
  func run(
    _ arguments: [String], program: String = Command.program, input: Child.Stream = .nothing,
    output: Child.Stream = .file("/stdout"), environment: [String: String] = [:]
  ) -> Outcome {
    let streams = TestFolder()
    let outputIsFile = if case .file("/stdout") = output { true } else { false }
    let child = Child(
      program, arguments, in: folder.path, environment: environment, input: input,
      output: outputIsFile ? .file(streams("stdout")) : output, errors: .file(streams("stderr")))
    let outcome = child.wait()
    let errors = String(decoding: streams.read("stderr") ?? [], as: UTF8.self)
    return Outcome(
      status: outcome.status, output: streams.read("stdout") ?? [],
      errors: errors.split(separator: "\n").map(String.init),
      terminal: outcome.terminal)
  }

  /// Runs a line of the shell, in which `swzip` is the command.
  func shell(_ line: String) -> Outcome {
    run(["-c", "swzip() { '\(Command.program)' \"$@\"; }; " + line], program: "/bin/sh")
  }

  /// Bytes without a pattern, the same in every run.
  static func sample(_ count: Int) -> [UInt8] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  /// A small model: a header and two tensors.
  static func model() -> [UInt8] {
    var header =
      #"{"a.weight":{"dtype":"BF16","shape":[64,32],"data_offsets":[0,4096]},"b.bias":{"dtype":"F32","shape":[16],"data_offsets":[4096,4160]}}"#
    while header.utf8.count % 8 != 0 { header += " " }
    let length = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8) + sample(4160)
  }
}

extension String {
  fileprivate func range(ofSuffixFrom mark: String) -> String.Index? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(mark) { return self[..<index].lastIndex(of: "/") }
      index = self.index(after: index)
    }
    return nil
  }
}
