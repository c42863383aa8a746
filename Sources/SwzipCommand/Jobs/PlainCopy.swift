internal import Swzip
internal import SwzipCore

/// Copies a file as it is, below `--output-dir`.
struct PlainCopy {
  private let settings: Settings

  /// What is copied is made of no base.
  init(_ settings: Settings) {
    var settings = settings
    settings.bases = NamedBases([])
    self.settings = settings
  }

  func run(_ task: Task) throws(Failure) {
    let target = try settings.target(task, named: task.name, own: task.operand.name)
    let work = try Work(settings, task.operand, to: target, .original) { () throws(Failure) in
      try Input(task.operand, found: task.found, force: settings.force)
    }
    guard let work, let input = work.input else { return }
    try work.run(
      Output(target, expected: input.source.byteCount, settings), counting: nil, copying: input.status,
      make: { (output, _) throws(SwzipError) in
        let memory = try Memory(1 << 20)
        while case let count = try unsafe input.source.read(into: memory.bytes), count > 0 {
          try unsafe output.sink.write(memory.prefix(count))
        }
      },
      accept: { (_, _) throws(Failure) in try input.checkUnchanged() },
      summary: { _, _, _ in
        Work.Summary(lines: ["\(work.name.printable) : copied as it is"], fields: ["copied": .bool(true)])
      })
  }
}
