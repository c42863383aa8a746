internal import Swzip
internal import SwzipCore
internal import SwzipNames

/// Saves what can be read of a damaged container.
struct SalvageJob {
  let settings: Settings

  func run(_ operand: Operand) throws(Failure) {
    let input = try Input(operand, force: false)
    let name = input.name
    let target = Target.path(settings.output ?? (name.withoutSuffix(PackJob.suffix) ?? name) + ".partial")
    let isFolder = try attemptLibrary(name) { () throws(SwzipError) in try looksLikeFolder(input.source.atRandom()) }
    guard let work = try Work(settings, operand, to: target, isFolder ? .rest : .part, { input }) else { return }
    let bases = try settings.bases.allowed()
    if isFolder {
      try work.run(
        FolderOutput(target.name, settings, keepsAll: true) { _ in true }, counting: nil,
        make: { (output, _) throws(SwzipError) in try salvage(from: input.source.atRandom(), to: output, bases: bases)
        },
        accept: { (_, report) throws(Failure) in if report.files.isEmpty { throw .nothingSaved(name, report) } },
        summary: { _, report, _ in report.summary(name, target.name) })
    } else {
      try work.run(
        Output(target, expected: nil, settings), counting: nil, copying: input.status,
        make: { (output, _) throws(SwzipError) in
          try salvage(from: input.source.atRandom(), to: output.sink, bases: bases)
        },
        accept: { (_, report) throws(Failure) in
          guard report.isWhole || report.recoveredByteCount > 0 else { throw .nothingSaved(name, report) }
        },
        summary: { _, report, _ in report.summary(name, target.name) })
    }
  }
}
