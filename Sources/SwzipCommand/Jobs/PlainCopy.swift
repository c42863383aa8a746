internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Copies a file as it is, below `--output-dir`.
struct PlainCopy {
  let settings: Settings

  func run(_ task: Task) throws(Failure) {
    let target = try settings.target(task, named: task.name, own: task.operand.name)
    if settings.skips(task, target) { return }
    let input = try Input(task.operand, found: task.found, force: settings.force)
    try target.check(against: input.status, force: settings.force)
    guard !settings.dryRun else { return settings.announce(input.name, byteCount: input.source.byteCount, target) }
    let output = try Output(target, expected: input.source.byteCount, force: settings.force)
    do throws(SwzipError) {
      let memory = try Memory(1 << 20)
      while case let count = try unsafe input.source.read(into: memory.bytes), count > 0 {
        try unsafe output.sink.write(memory.prefix(count))
      }
    } catch {
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    try input.checkUnchanged()
    let durability = try output.finish(copying: input.status, force: settings.force)
    settings.console.note("\(input.name.printable) : copied as it is")
    settings.console.emit(["path": .string(input.name), "out": .string(output.name), "copied": .bool(true)])
    try requireDurable(durability, output.name)
  }
}
