import Swzip
import SwzipArchive
import SwzipCore
import SwzipNames
import SwzipSystem
import SwzipTestSupport
import Testing

/// An archive in a folder of its own, and checkpoints to put in it.
final class Run {
  let folder = TestFolder()
  var path: String { folder("run") }
  private var random: UInt64

  init(seed: UInt64 = 1) throws {
    random = seed
    _ = try Archive.create(folder("run"))
  }

  func archive() throws -> Archive { try Archive(path) }
  func holdings() throws -> Holdings { try archive().look() }

  func next(below bound: UInt64) -> UInt64 {
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (random >> 33) % bound
  }

  /// A file like bf16 weights.
  func weights(_ count: Int = 4096) -> [UInt8] {
    (0..<count).flatMap { _ in [UInt8(next(below: 256)), UInt8(0x3C + next(below: 3))] }
  }

  /// The same after a step.
  func changed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for place in stride(from: 0, to: bytes.count, by: 2) where next(below: 8) == 0 { bytes[place] ^= 1 }
    return bytes
  }

  /// Writes the files of a checkpoint below a folder, and returns its path.
  @discardableResult
  func write(_ files: [String: [UInt8]], as name: String = "checkpoint") -> String {
    for (file, bytes) in files { folder.writeDeep(name + "/" + file, bytes) }
    return folder(name)
  }

  @discardableResult
  func add(
    _ files: [String: [UInt8]], step: UInt64, change: (inout AddOptions) -> Void = { _ in },
    progress: ((UInt64) -> Void)? = nil
  ) throws -> Addition {
    var options = AddOptions(PackOptions())
    change(&options)
    let place = "source-\(step)-\(next(below: 1 << 30))"
    write(files, as: place)
    return try Adder(archive(), options).add(CheckpointFiles(folder(place)), step: step, progress: progress)
  }

  /// The files of a checkpoint as they are restored.
  func restored(_ word: String) throws -> [String: [UInt8]] {
    let open = try archive().open(word)
    try open.checkNames()
    let files = Collected()
    for part in open.parts {
      _ = try unpack(from: part.source, to: files as any MemberSinks, bases: open.bases, threads: 1)
    }
    return files.files
  }

  /// What an archive lists.
  func listed() throws -> [String] { try holdings().checkpoints().map(\.name) }

  func prune(_ change: (inout Retention) -> Void = { _ in }, grace: Int64 = 0) throws -> Pruner.Report {
    var retention = Retention()
    change(&retention)
    return try Pruner(archive(), retention, grace: grace).run()
  }

  func forget(_ words: String...) throws {
    let holdings = try holdings()
    try archive().forget(words.map { try holdings.checkpoint($0) }, in: holdings)
  }

  func unforget(_ word: String) throws {
    let holdings = try holdings()
    try archive().unforget(holdings.checkpoint(word, forgotten: true), in: holdings)
  }

  func tag(_ word: String, _ name: String) throws { try archive().tag(holdings().checkpoint(word), name) }
}

/// Unpacked files in memory. One thread at a time.
private final class Collected: MemberSinks, OutputSink, @unchecked Sendable {
  var files: [String: [UInt8]] = [:]
  private var name = ""

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    name = member.name
    files[name] = []
    return self
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) { unsafe files[name]?.append(contentsOf: bytes) }
  func end() throws(SwzipError) {}
  func link(_ name: String, to target: String, path: String) throws(SwzipError) {}
  func readBack(member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }
  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }
}

/// The rule of the error that a call must throw.
func rule(_ call: () throws -> Void) -> SwzipError.Rule? {
  do { try call() } catch { return (error as? SwzipError)?.rule }
  return nil
}

func kind(_ call: () throws -> Void) -> SwzipError.Kind? {
  do { try call() } catch { return (error as? SwzipError)?.kind }
  return nil
}
