internal import Swzip
internal import SwzipCore
internal import SwzipSystem

// What a person can do, in the command's verbs and options; nil where what is wrong says it all.

extension SwzipError {
  /// One line: what is wrong; what to do.
  var explanation: String { clause + (advice.map { "; " + $0 } ?? "") }

  private var clause: String {
    guard rule == .baseDiffers else { return text }
    return "no file named with --base is the base that it needs" + (detail.isEmpty ? "" : " (\(detail.printable))")
  }

  private var advice: String? {
    switch (kind, rule) {
    case (_, .system): errno.flatMap { SystemError(errno: $0, operation: "", path: file ?? "").advice }
    case (_, .notAContainer): "check the name, or pack the file first"
    case (_, .trailingBytes): "unpack concatenated containers one by one"
    case (_, .notRandomAccess): "save it as a file first, or name an output with -o"
    case (_, .encoderFault): "please report this; the source is untouched"
    case (_, .nameHere): "unpack the others with --only, or unpack it on another system"
    case (.refused, .name), (.refused, .nameCollision): "rename it, or leave it out with --exclude"
    case (_, .severalFiles): "unpack it into a folder, or choose one file with --only"
    case (_, .oneFile): "name the folder, or the container of one, that it is to be packed against"
    case (_, .severalTensors): "write FILE:TENSOR"
    case (_, .noSuchTensor): "see the names with swzip list -v"
    case (_, .noArchive): "make one with swzip archive init; if only SWZARCHIVE was lost, with swzip archive rebuild"
    case (_, .noSuchCheckpoint): "see the names with swzip archive list"
    case (_, .notInArchive): "copy the container that has it to ckpt/, or forget what needs it"
    case (_, .incomplete): "add it when it is, or with --as-is"
    case (_, .missingParts): "see swzip archive list; one part comes with --part"
    case (.io, _): "run it again"
    case (.refused, _): nil
    case (.corrupt, _): "take another copy, or save what can be read with swzip salvage"
    case (.base, .baseMissing): "name the file, plain or packed, with --base"
    case (.base, .baseDiffers): "name the very file that it was packed against"
    case (.base, .baseDamaged): "take another copy of that"
    case (.base, _): "it cannot be unpacked; take another copy"
    case (.cancelled, _): nil
    case (.unsupported, _): "update swzip"
    case (.invalidArgument, _): nil
    case (.memory, _): "use fewer threads with -T, or free some memory"
    }
  }
}

extension SystemError {
  /// "cannot write it: No space left on device; free some space, or write elsewhere with -o".
  var explanation: String { text + (advice.map { "; " + $0 } ?? "") }

  fileprivate var advice: String? {
    if HTTPSource.isURL(path) { return "URLs are read by list, inspect, cat, unpack and verify, as their files" }
    if isMissing { return operation == "create" ? "create that first" : "check the name" }
    return switch errno {
    case System.accessDenied: "check who may use it"
    case System.exists: "choose another name with -o, or replace it with -f"
    case System.noSpace, System.overQuota: "free some space, or write elsewhere with -o"
    case System.tooLarge where operation == "list": "leave some out with --exclude"
    case System.tooLarge: "raise the limit on file sizes, or write elsewhere with -o"
    case System.readOnly: "write elsewhere with -o"
    case System.inputOutput: "the disk may be failing: keep every copy"
    case System.tooManyFiles: "raise the limit on open files"
    case System.isLink where operation == "go through": "remove the link, or unpack elsewhere with -o"
    case System.isLink: "name the file itself"
    case System.notDirectory, System.isDirectory: "write elsewhere with -o"
    case System.nameTooLong: "choose a shorter name with -o"
    default: nil
    }
  }
}
