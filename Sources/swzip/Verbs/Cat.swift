internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

struct Cat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the raw bytes of tensors, or of a range of the original file.")

  @Argument(help: ArgumentHelp("The container.", valueName: "file"))
  var file: String

  @Argument(help: ArgumentHelp("Names of tensors, as swzip list -v shows them.", valueName: "tensor"))
  var tensors: [String] = []

  @Option(help: ArgumentHelp("Bytes A to B of the original, B excluded; either may be left out.", valueName: "A:B"))
  var range: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file instead of stdout.", valueName: "file"))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace an existing output; write to a terminal.")
  var force = false

  func run() throws {
    guard tensors.isEmpty != (range == nil) else {
      throw ValidationError("name either tensors or one --range")
    }
    let bounds = try range.map(Cat.parse)
    try forEach([Operand(file)], Console()) { operand throws(Failure) in try write(operand, bounds) }
  }

  /// "A:B", "A:" or ":B".
  static func parse(_ text: String) throws -> (from: UInt64, to: UInt64?) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let from = parts[0].isEmpty ? 0 : UInt64(parts[0]),
      let to = parts[1].isEmpty ? .max : UInt64(parts[1]), from <= to
    else { throw ValidationError("a range is A:B with A not above B, not '\(text)'") }
    return (from, parts[1].isEmpty ? nil : to)
  }

  private func write(_ operand: Operand, _ bounds: (from: UInt64, to: UInt64?)?) throws(Failure) {
    let input = try Input(operand, force: false)
    let file = try attemptLibrary(input.name) { () throws(SwzipError) in try SwzFile(input.source) }
    let pieces = try attemptLibrary(input.name) { () throws(SwzipError) in try select(file, bounds) }
    let target = output == nil || output == "-" ? Target.standardOutput : .path(output ?? "")
    try target.check(against: input.status, force: force)
    if target == .standardOutput, FileHandle.standardOutput.isTerminal, !force {
      throw .refused(target.name, "raw bytes are not written to a terminal; name a file with -o, or insist with -f")
    }
    let expected = pieces.reduce(0) { $0 &+ $1.byteCount }
    let output = try Output(target, expected: expected, force: force)
    do throws(SwzipError) {
      for piece in pieces { try Cat.copy(piece, of: file, to: output.sink) }
    } catch {
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    let durability = try output.finish(copying: nil, force: force)
    try requireDurable(durability, output.name)
  }

  private struct Piece {
    let member: Int
    let offset, byteCount: UInt64
  }

  private func select(_ file: SwzFile, _ bounds: (from: UInt64, to: UInt64?)?) throws(SwzipError) -> [Piece] {
    if let bounds {
      guard file.members.count == 1, let member = file.members.first else {
        throw SwzipError(.refused, .range, detail: "the container has several files")
      }
      let end = bounds.to ?? member.byteCount
      guard bounds.from <= end, end <= member.byteCount else {
        throw SwzipError(.refused, .range, detail: "it has \(member.byteCount) bytes")
      }
      return [Piece(member: 0, offset: bounds.from, byteCount: end - bounds.from)]
    }
    var pieces: [Piece] = []
    let known = file.tensors
    for name in tensors {
      guard let tensor = known.first(where: { $0.name == name }) else {
        throw SwzipError(.refused, .noSuchTensor, detail: name)
      }
      pieces.append(Piece(member: tensor.member, offset: tensor.offset, byteCount: tensor.byteCount))
    }
    return pieces
  }

  /// In steps, so that memory is bounded whatever the size of the tensor.
  private static func copy(_ piece: Piece, of file: SwzFile, to sink: FileSink) throws(SwzipError) {
    var buffer = [UInt8](repeating: 0, count: Int(min(piece.byteCount, 8 << 20)))
    var done: UInt64 = 0
    while done < piece.byteCount {
      let count = Int(min(UInt64(buffer.count), piece.byteCount - done))
      var span = buffer.mutableSpan
      // The pointer is used inside the closure only.
      try unsafe span.withUnsafeMutableBytes { (bytes) throws(SwzipError) in
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
        unsafe try file.read(member: piece.member, offset: piece.offset + done, into: part)
        unsafe try sink.write(UnsafeRawBufferPointer(part))
      }
      done += UInt64(count)
    }
  }
}
