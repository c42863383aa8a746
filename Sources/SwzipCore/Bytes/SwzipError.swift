/// What went wrong, by the rule that was broken. Kinds and rules grow: who switches over them needs a default.
public struct SwzipError: Error, Equatable, Sendable {
  /// The numbers never change: they are the statuses of the C interface and of the command too.
  @nonexhaustive public enum Kind: Int32, Sendable, CaseIterable {
    /// A read, write or other operation of the system failed.
    case io = 1
    /// The request was refused: nothing is wrong with the data.
    case refused = 2
    /// The container is damaged, cut short, or no container.
    case corrupt = 3
    /// A base is missing or is not the one that the container names.
    case base = 4
    /// The caller ended the call.
    case cancelled = 5
    /// A newer version made the container.
    case unsupported = 6
    /// The caller asked for something impossible.
    case invalidArgument = 64
    /// Memory could not be had.
    case memory = 75
  }

  public let kind: Kind
  public let rule: Rule
  /// Byte in the container, where one is known.
  public let position: UInt64?
  /// The path or the name of a file, where it is known which.
  public let file: String?
  /// The system's number, where a call of it failed.
  public let errno: Int32?
  /// A name or number that the text needs: a tensor, a version, the system's words.
  public let detail: String

  public init(
    _ kind: Kind, _ rule: Rule, at position: UInt64? = nil, file: String? = nil, errno: Int32? = nil,
    detail: String = ""
  ) {
    self.kind = kind
    self.rule = rule
    self.position = position
    self.file = file
    self.errno = errno
    self.detail = detail
  }

  /// The error, of a file.
  public func of(_ file: String) -> SwzipError {
    SwzipError(kind, rule, at: position, file: file, errno: errno, detail: detail)
  }

  /// For programs, and never another one for an error of this kind.
  public var code: Int32 { kind.rawValue }

  /// The rules, named by what must hold.
  @nonexhaustive public enum Rule: String, Sendable, CaseIterable {
    case notAContainer, truncated, trailingBytes, version, reservedBits, unknownCodec, unknownExtension
    case headerHash, frameHash, storedHash, decodedHash, memberHash, memberSHA256, trailerHash, root
    case frameSize, frameKind, padding, varint, name, limit, tiling, indexAgrees, blockHeader, codeLengths
    case subStreams, patches, planeSection, compressedPayload, reference, tensorRange
    case system, outOfMemory, cancelled, outputTooSmall, noSuchTensor, range, argument, notRandomAccess, encoderFault
    case baseMissing, baseDiffers, baseDamaged, baseCycle, baseDepth
    case nameHere, linkTarget, nameCollision, severalFiles, severalTensors, oneFile
    case noArchive, noSuchCheckpoint, notInArchive, incomplete, missingParts
  }
}
