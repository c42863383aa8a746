package import ArgumentParser
package import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// `--quick`, `--stored`, `--full`.
extension Verification.Depth: EnumerableFlag {
  package static func help(for value: Self) -> ArgumentHelp? {
    switch value {
    case .quick: "Only directories of containers, and whether their bases are there."
    case .stored: "The hash of every stored block; nothing is decoded."
    case .full: "Decode all, and compare the SHA-256 of every file."
    }
  }
}

extension ArchiveVerbs {
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract: "Read the archive, and name what is damaged and the checkpoints that it costs.",
      discussion: """
        Says of each damaged block its container, file, tensors and range, and which checkpoints cannot be restored, those that need it \
        too. --stored finds any changed byte as fast as the disk reads; --full, the default, decodes all with what it needs, each chain \
        once. Changes nothing. Ends with 0, with 3 for damage, 4 where a base is missing, 1 where something could not be read.
        """)

    @OptionGroup var place: ArchiveArgument

    @Flag var depth: Verification.Depth = .full

    @Option(
      help: ArgumentHelp(
        "Of so many hundredths of the containers only, as 5%: others each day, by their names, and all in turn; for cron.",
        valueName: "percent"))
    var sample: String?

    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      let settings = try Settings(files: [place.archive], report: report, work: work)
      let sample = try sample.map(Self.sample)
      guard sample == nil || depth != .quick else { throw ValidationError("--quick reads of each container as much") }
      try inArchive(place.archive, report.console) { path, _ throws(Failure) in
        try ArchiveVerifyJob(settings: settings, depth: depth, sample: sample).run(path)
      }
    }

    private static func sample(_ text: String) throws -> Verification.Sample {
      guard let percent = Double(text.hasSuffix("%") ? String(text.dropLast()) : text), percent >= 0.01, percent <= 100
      else { throw ValidationError("--sample is a percentage from 0.01% to 100%, not '\(text)'") }
      return Verification.Sample(percent: percent, day: Process.day())
    }
  }

  struct Mend: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "repair",
      abstract: "Put damaged files aside, and good copies from another archive in their place.",
      discussion: """
        Deletes nothing: what is damaged goes to quarantine/, where it counts for nothing. Of --from, a copy of this archive, it takes the \
        containers whose checkpoints are damaged here, or that give what others here lack, in whatever encoding; each is decoded, and \
        every hash compared, before it gets its name. A damaged container stays where others can still be read through it. Tombstones, \
        SWZARCHIVE and tags are written anew. Says which checkpoints are still damaged, and ends with 3 if any is. May be killed and \
        run again.
        """)

    @OptionGroup var place: ArchiveArgument

    @Option(
      name: .customLong("from"), help: ArgumentHelp("A copy of the archive, with good files.", valueName: "archive"))
    var other: String?

    @Flag var depth: Verification.Depth = .stored

    @Flag(name: [.customShort("n"), .long], help: "Say what would be done; write nothing.")
    var dryRun = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      let settings = try Settings(files: [place.archive], report: report, work: work)
      if let other, other.isEmpty { throw ValidationError("a folder name is empty") }
      let job = RepairJob(settings: settings, depth: depth, other: other, isPlan: dryRun)
      try inArchive(place.archive, report.console) { path, _ throws(Failure) in try job.run(path) }
    }
  }
}
