public import SwzipCore

/// How to pack.
public struct PackOptions: Sendable {
  /// 1 to 9, by what they cost to decode; 3 is the default.
  public var level = 3
  /// Threads, the calling one included.
  public var threads = 1
  /// Decode each block after encoding it and compare.
  public var verify = true
  /// Store the SHA-256 of the member too.
  public var sha256 = false
  public var format = InputFormat.automatic
  public init() {}
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
