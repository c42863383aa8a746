extension SystemError {
  /// "cannot write: No space left on device; free some space and run it again".
  public var text: String {
    if isMissing {
      return operation == "create" ? "its directory does not exist; create that first" : "no such file; check the name"
    }
    if errno == System.tooLarge, operation == "list" {
      return "there are too many files; leave some out with --exclude"
    }
    return "cannot \(operation) it: \(words)" + (advice.map { "; " + $0 } ?? "")
  }

  /// What a person can do about it.
  private var advice: String? {
    switch errno {
    case System.accessDenied: "check who may use it"
    case System.exists: "choose another name with -o, or replace it with -f"
    case System.noSpace, System.overQuota: "free some space, or write elsewhere with -o"
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
