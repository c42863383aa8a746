internal import SwzipCore
internal import SwzipNames

extension InexactRecord {
  /// A line for each file that is not what was added.
  var lines: [String] { lines { _ in true } }

  /// Of files among these.
  func lines(of names: Set<Exact>) -> [String] { lines { names.contains(Exact($0.name)) } }

  private func lines(_ isMeant: (File) -> Bool) -> [String] {
    files.filter(isMeant).map { "\($0.name.printable): moments within \(policy.printable) of the source, not exact" }
  }

  var json: JSONObject {
    [
      "bound": .string(policy),
      "files": .array(
        files.map { file in
          .object([
            "name": .string(file.name), "source_sha256": .digest(file.sourceSHA256),
            "tensors": .integer(file.tensorCount),
          ])
        }),
    ]
  }
}

extension [InexactRecord] {
  /// Of the containers of a checkpoint; nil where all is exact, an array where several have one.
  var json: JSONValue? {
    isEmpty ? nil : count == 1 ? .object(self[0].json) : .array(map { .object($0.json) })
  }
}
