extension SystemError {
  /// What is wrong, as a clause: "cannot write it: No space left on device".
  public var text: String {
    if isMissing { return operation == "create" ? "its directory does not exist" : "no such file" }
    if errno == System.tooLarge, operation == "list" { return "there are too many files" }
    return "cannot \(operation) it: \(words)"
  }
}
