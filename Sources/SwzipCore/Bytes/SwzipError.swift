/// What went wrong, by the rule that was broken. Texts for people are made in `SwzipError+Text.swift`.
public struct SwzipError: Error, Equatable, Sendable {
  public enum Kind: Sendable, CaseIterable {
    /// A read, write or other operation of the system failed.
    case io
    /// The request was refused: nothing is wrong with the data.
    case refused
    /// The container is damaged, cut short, or no container.
    case corrupt
    /// A base is missing or is not the one that the container names.
    case base
    /// A newer version made the container.
    case unsupported
    /// The caller asked for something impossible.
    case invalidArgument
    /// Memory could not be had.
    case memory
  }

  public let kind: Kind
  public let rule: Rule
  /// Byte in the container, where one is known.
  public let position: UInt64?
  /// A name or number that the text needs: a tensor, a version, the system's words.
  public let detail: String

  public init(_ kind: Kind, _ rule: Rule, at position: UInt64? = nil, detail: String = "") {
    self.kind = kind
    self.rule = rule
    self.position = position
    self.detail = detail
  }

  /// The rules, named by what must hold.
  public enum Rule: String, Sendable, CaseIterable {
    case notAContainer, truncated, trailingBytes, version, reservedBits, unknownCodec, unknownExtension
    case headerHash, frameHash, storedHash, decodedHash, memberHash, memberSHA256, trailerHash, root
    case frameSize, frameKind, padding, varint, name, limit, tiling, indexAgrees, blockHeader, codeLengths
    case subStreams, patches, planeSection, compressedPayload, reference, tensorRange
    case system, outOfMemory, outputTooSmall, noSuchTensor, range, notRandomAccess, encoderFault
    case baseMissing, baseDiffers, baseDamaged, baseCycle, baseDepth
    case nameHere, linkTarget, nameCollision, severalFiles, severalTensors, oneFile
  }
}
