internal import SwzipNames

// The one table of what is wrong. What to do about it depends on the program, and is for the program to say.
extension SwzipError {
  /// What is wrong, as one clause on one line, without the file's name.
  public var text: String {
    guard let position, rule != .notAContainer else { return what }
    return what + " (at byte \(position))"
  }

  private var what: String {
    switch rule {
    case .notAContainer: "not a swzip container"
    case .truncated: kind == .io ? "it ends too early" : "the container is cut short"
    case .trailingBytes: "something follows the end of the container"
    case .version: "made by a newer version of swzip" + inBrackets
    case .reservedBits: "uses a feature of a newer version of swzip" + inBrackets
    case .unknownCodec: "uses a codec that this version does not know" + inBrackets
    case .unknownExtension: "needs an extension that this version does not know" + inBrackets
    case .headerHash: damaged("the header does not match its hash")
    case .frameHash: damaged("a frame does not match its hash")
    case .storedHash: damaged("a block does not match its stored hash")
    case .decodedHash: damaged("a block decodes to other bytes than were packed")
    case .memberHash: damaged("the decoded file does not match its checksum")
    case .memberSHA256: damaged("the decoded file does not match its SHA-256")
    case .trailerHash: damaged("the trailer does not match its hash")
    case .root: damaged("the directory does not match the root hash")
    case .frameSize: damaged("a frame has an impossible size")
    case .frameKind: damaged("a frame is of another kind than its place demands")
    case .padding: damaged("padding is not zero")
    case .varint: damaged("a number is not in its shortest form")
    case .name:
      (kind == .refused
        ? "a name cannot be packed: it is too long, or too deep in folders" : "a name in the container is not allowed")
        + quoted
    case .nameHere: "this system cannot create a file of that name" + quoted
    case .linkTarget: "a link leads to nothing that is packed" + quoted
    case .nameCollision: "two files have this name, or it is a folder of another" + quoted
    case .severalTensors: "several files have a tensor of this name" + quoted
    case .severalFiles: "it holds a folder, not a single file"
    case .oneFile: "it is a single file, and what is packed is a folder"
    case .limit: "a limit is exceeded" + inBrackets
    case .tiling: damaged("the segments do not cover the file exactly")
    case .indexAgrees: damaged("the index disagrees with the blocks")
    case .blockHeader: damaged("a block header is impossible")
    case .codeLengths: damaged("a code table is impossible")
    case .subStreams: damaged("the streams of a block do not add up")
    case .patches: damaged("the patches of a block are impossible")
    case .planeSection: damaged("a plane of a block is impossible")
    case .compressedPayload: damaged("a compressed payload does not decode")
    case .reference: damaged("a reference points to an impossible place")
    case .tensorRange: damaged("a tensor lies outside its file") + quoted
    case .system: detail.isEmpty ? "the system refused an operation" : detail
    case .cancelled: "it was ended before it was done"
    case .outOfMemory: "not enough memory" + inBrackets
    case .outputTooSmall: "the output buffer is too small" + inBrackets
    case .noSuchTensor: "there is no such tensor" + quoted
    case .argument: "an argument is impossible" + inBrackets
    case .range: "the range lies outside the file" + inBrackets
    case .notRandomAccess: "it must be a file: a pipe cannot be read at any place"
    case .encoderFault: "encoder fault: a block did not decode to what was packed"
    case .baseMissing: "it needs a base that is missing" + inBrackets
    case .baseDiffers: "none of the bases that are given is the one that it needs" + inBrackets
    case .baseDamaged: "a base that it needs is damaged" + inBrackets
    case .baseCycle: "the bases need each other in a circle" + inBrackets
    case .noArchive: "no archive is there"
    case .noSuchCheckpoint: "it holds no such checkpoint" + quoted
    case .notInArchive: "it needs a file that is not in the archive" + inBrackets
    case .missingParts: "not all of the checkpoint is there" + inBrackets
    case .incomplete: "the checkpoint is not complete" + inBrackets
    case .baseDepth: "its chain of bases is more than \(printable) deep"
    }
  }

  private func damaged(_ how: String) -> String { kind == .corrupt ? "damaged: " + how : how }

  private var inBrackets: String { detail.isEmpty ? "" : " (\(printable))" }

  private var quoted: String { detail.isEmpty ? "" : ": '\(printable)'" }

  /// A name from a container may hold anything: control and direction characters would play with a terminal.
  private var printable: String { detail.printable }
}

extension String {
  /// The text with control, direction and line-breaking characters as `\u{…}`, and bytes of names that are no UTF-8 as
  /// `\xFF`.
  public var printable: String {
    var text = ""
    for scalar in unicodeScalars {
      if let byte = scalar.nameByte {
        text += "\\x" + String(byte, radix: 16)
        continue
      }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
