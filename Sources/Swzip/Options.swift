public import SwzipCore

/// How to pack.
public struct PackOptions: Sendable {
  /// 1 to 9, by what they cost to decode; 3 is the default.
  public var level = 3
  /// Threads, the calling one included.
  public var threads = 1
  public var control: Control?
  /// Decode each block after encoding it and compare.
  public var verify = true
  /// Store the SHA-256 of the member too.
  public var sha256 = false
  public var format = InputFormat.automatic
  public var coder = SymbolForm.nodes
  /// Makes a folder's container that of a checkpoint.
  package var checkpoint: CheckpointRecord?
  /// Says in that what is not as it was.
  package var inexact: InexactRecord?
  public init() {}

  package var effort: Effort { Effort(level: level, usesNodes: coder == .nodes) }
}

/// How symbols with Huffman codes are stored, at levels 1 to 6. Both are of one size, and every reader takes both.
@nonexhaustive public enum SymbolForm: String, Sendable, CaseIterable {
  /// By the nodes of the code's tree: processors with wide vectors decode it about twice as fast.
  case nodes
  /// In 32 sub-streams, for decoders with a thread for each.
  case streams
}

/// How a call of several jobs runs, for those who have threads of their own or may end it.
public struct Control: Sendable {
  /// Calls `work` with each number below `count`, 0 at least, at once as far as it can, and returns when all calls have. Each call
  /// takes from the same jobs: numbers may be left out once there are none.
  public typealias Runner = @Sendable (_ count: Int, _ work: @escaping @Sendable (Int) -> Void) -> Void

  /// Threads of the caller's; nil: threads are made for the call and end with it.
  public var runner: Runner?
  /// Asked before each job of about a block that the calling thread does (with a runner: one of its threads), and while it waits
  /// for a server, one question at a time: false ends the call with `cancelled`.
  public var goesOn: @Sendable () -> Bool

  public init(goesOn: @escaping @Sendable () -> Bool = { true }, runner: Runner? = nil) {
    self.runner = runner
    self.goesOn = goesOn
  }

  func check() throws(SwzipError) {
    guard goesOn() else { throw SwzipError(.cancelled, .cancelled) }
  }
}

/// How a file is understood. Whatever the answer, every byte is kept.
@nonexhaustive public enum InputFormat: String, Sendable, CaseIterable {
  case automatic = "auto"
  case safetensors, torch, gguf, npy, npz, onnx
  /// Plain bytes, whatever they may be.
  case raw
}

/// What packing did.
public struct PackReport: Sendable {
  /// What the input was taken for: "safetensors", "torch", "gguf", "npy", "npz", "onnx", "pickle" for one of
  /// arrays, "zip" or "tar" for an archive of models, or "raw"; "folder" for a container of many.
  public var format = "raw"
  public var rawByteCount: UInt64 = 0
  public var packedByteCount: UInt64 = 0
  public var memberCount = 1
  public var tensorCount = 0
  /// XXH3-128 of the original bytes; nil for a folder, where each file has one.
  public var checksum: Digest?
  /// SHA-256 of the original bytes if asked for; nil for a folder.
  public var sha256: Digest?
  /// The root of the container (spec/FORMAT.md, section 5).
  public var root = Digest([])
  /// One line each, for people: "header is not valid JSON; packed as plain bytes".
  public var warnings: [String] = []
}

/// What unpacking or verifying did.
public struct UnpackReport: Sendable {
  public var rawByteCount: UInt64 = 0
  public var packedByteCount: UInt64 = 0
  public var memberCount = 0
  /// XXH3-128 of a packed file; nil for a folder, where each file has one.
  public var checksum: Digest?
  /// The root of the container.
  public var root = Digest([])
  public init() {}
}

/// Called on the calling thread after each batch with the number of original bytes done so far.
public typealias ProgressHandler = (UInt64) -> Void
