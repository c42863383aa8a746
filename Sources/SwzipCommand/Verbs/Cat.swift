internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

struct Cat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the raw bytes of tensors, of files of a folder, or of a range of the original file.")

  @Argument(help: ArgumentHelp("The container.", valueName: "file"))
  var file: String

  @Argument(
    help: ArgumentHelp(
      "Names of tensors, as swzip list -v shows them; of a folder also FILE, or FILE:TENSOR.", valueName: "tensor"))
  var tensors: [String] = []

  @Option(
    help: ArgumentHelp(
      "Bytes A to B of the original, or of the one FILE named, B excluded; either may be left out.", valueName: "A:B"))
  var range: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file instead of stdout.", valueName: "file"))
  var output: String?

  @OptionGroup var base: BaseOptions

  @Flag(name: .shortAndLong, help: "Replace an existing output; write to a terminal.")
  var force = false

  func run() throws {
    guard range == nil ? !tensors.isEmpty : tensors.count <= 1 else {
      throw ValidationError("name either tensors or one --range")
    }
    let bounds = try range.map(Cat.parse)
    var settings = try Settings(files: [file], report: .parse([]), work: nil, base: base)
    settings.output = output
    settings.force = force
    try forEach(settings.operands, settings.console) { [settings] operand throws(Failure) in
      try write(operand, bounds, settings)
    }
  }

  /// "A:B", "A:" or ":B".
  static func parse(_ text: String) throws -> (from: UInt64, to: UInt64?) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let from = parts[0].isEmpty ? 0 : UInt64(parts[0]),
      let to = parts[1].isEmpty ? .max : UInt64(parts[1]), from <= to
    else { throw ValidationError("a range is A:B with A not above B, not '\(text)'") }
    return (from, parts[1].isEmpty ? nil : to)
  }

  private func write(
    _ operand: Operand, _ bounds: (from: UInt64, to: UInt64?)?, _ settings: Settings
  ) throws(Failure) {
    let bases = try settings.bases.allowed(.length)
    let input = try Input(operand, force: false, takesURLs: true)
    try Cat.write(operand, settings, input) { () throws(SwzipError) in
      let file = try Container(input.source.atRandom(), bases: bases)
      return try select(file, bounds).map { (file, $0) }
    }
  }

  /// Writes pieces of containers that `select` opens; `input`: what was opened for that.
  static func write(
    _ operand: Operand, _ settings: Settings, _ input: Input? = nil,
    _ select: () throws(SwzipError) -> [(file: Container, piece: Piece)]
  ) throws(Failure) {
    let target = settings.output.flatMap { $0 == "-" ? nil : Target.path($0) } ?? .standardOutput
    guard let work = try Work(settings, operand, to: target, .part, { input }) else { return }
    let pieces = try attemptLibrary(operand.name, select)
    try work.run(
      Output(target, expected: pieces.reduce(0) { $0 &+ $1.piece.byteCount }, settings), counting: nil,
      make: { (output, _) throws(SwzipError) in
        for (file, piece) in pieces {
          // In steps, so that memory is bounded whatever the size of the tensor. The pointer is used inside the closure only.
          try unsafe file.read(member: piece.member, offset: piece.offset, byteCount: piece.byteCount) {
            (bytes) throws(SwzipError) in unsafe try output.sink.write(bytes)
          }
        }
      },
      summary: { _, _, _ in Work.Summary() })
  }

  /// Bytes of a file.
  struct Piece {
    let member: Int
    let offset, byteCount: UInt64

    init(member: Int, offset: UInt64, byteCount: UInt64) {
      self.member = member
      self.offset = offset
      self.byteCount = byteCount
    }

    init(_ tensor: Container.Tensor) {
      self.init(member: tensor.member, offset: tensor.offset, byteCount: tensor.byteCount)
    }
  }

  private func select(_ file: Container, _ bounds: (from: UInt64, to: UInt64?)?) throws(SwzipError) -> [Piece] {
    let members = file.members
    guard let bounds else { return try Self.find(tensors, in: file) }
    let number =
      tensors.first.map { name in members.firstIndex { Exact($0.name) == Exact(name) && file.isFolder } } ?? 0
    guard let number, !tensors.isEmpty || members.count == 1 else {
      throw SwzipError(.refused, .range, detail: "name one of the \(members.count) files with it")
    }
    let end = bounds.to ?? members[number].byteCount
    guard bounds.from <= end, end <= members[number].byteCount else {
      throw SwzipError(.refused, .range, detail: "it has \(members[number].byteCount) bytes")
    }
    return [Piece(member: number, offset: bounds.from, byteCount: end - bounds.from)]
  }

  /// The same in the parts of a checkpoint. What several of them have is the same file.
  static func find(_ names: [String], in parts: [Container]) throws(SwzipError) -> [(file: Container, piece: Piece)] {
    if parts.count == 1 { return try find(names, in: parts[0]).map { (parts[0], $0) } }
    return try names.map { name throws(SwzipError) in
      var found: [(file: Container, piece: Piece)] = []
      for part in parts {
        do throws(SwzipError) { found += try find([name], in: part).map { (part, $0) } } catch {
          guard error.rule == .noSuchTensor else { throw error }
        }
      }
      guard let first = found.first else { throw SwzipError(.refused, .noSuchTensor, detail: name) }
      let files = Set(found.map { Exact($0.file.members[$0.piece.member].name) })
      guard files.count == 1 else { throw SwzipError(.refused, .severalTensors, detail: name) }
      return first
    }
  }

  /// A FILE, or FILE:TENSOR, or a TENSOR, in this order. Names of both may have colons.
  static func find(_ names: [String], in file: Container) throws(SwzipError) -> [Piece] {
    var files: [Exact: Int] = [:]
    let members = file.members
    if file.isFolder { for (number, member) in members.enumerated() { files[Exact(member.name)] = number } }
    // A link is the file that it leads to.
    for member in members { if let link = member.link { files[Exact(member.name)] = files[Exact(link.path)] } }
    let wanted = Set(names.flatMap { [Self.tensorName($0)] + (Self.split($0, files).map { [$0.tensor] } ?? []) })
    let known = Dictionary(grouping: file.tensors.lazy.filter { wanted.contains(Exact($0.name)) }) { Exact($0.name) }
    var pieces: [Piece] = []
    for name in names {
      if let number = files[Exact(name)] {
        pieces.append(Piece(member: number, offset: 0, byteCount: members[number].byteCount))
      } else if let (number, rest) = Self.split(name, files) {
        guard let tensor = known[rest]?.first(where: { $0.member == number }) else {
          throw SwzipError(.refused, .noSuchTensor, detail: name)
        }
        pieces.append(Piece(tensor))
      } else if let found = known[Self.tensorName(name)], let tensor = found.first {
        guard found.allSatisfy({ $0.member == tensor.member }) else {
          throw SwzipError(.refused, .severalTensors, detail: name)
        }
        pieces.append(Piece(tensor))
      } else {
        throw SwzipError(.refused, .noSuchTensor, detail: name)
      }
    }
    return pieces
  }

  /// The first colon with a file before it.
  private static func split(_ name: String, _ files: [Exact: Int]) -> (file: Int, tensor: Exact)? {
    for place in name.utf8.indices where name.utf8[place] == UInt8(ascii: ":") {
      if let file = files[Exact(String(name[..<place]))] {
        return (file, tensorName(String(name[name.utf8.index(after: place)...])))
      }
    }
    return nil
  }

  /// A word of the command line as text: names of tensors are UTF-8.
  private static func tensorName(_ word: String) -> Exact {
    Exact(String(decoding: word.nameBytes, as: UTF8.self))
  }
}
