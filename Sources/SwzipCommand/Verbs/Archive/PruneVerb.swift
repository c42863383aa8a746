internal import ArgumentParser
internal import SwzipArchive
internal import SwzipCore

extension ArchiveVerbs {
  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forget what no rule keeps, and delete what nothing needs.",
      discussion: """
        A checkpoint is kept if any rule keeps it; without a rule none is forgotten. The newest that can be restored and those with tags are \
        always kept. What is forgotten and no base of others is marked, and deleted by the first prune after the grace; until then unforget \
        brings it back. Says why each is kept. Adding and restoring may go on meanwhile. Does nothing while a container or a tag cannot \
        be read. Times are those of the containers, in UTC. A few states to resume from and milestones for longer are two rules: \
        --keep-last 3 --keep-every 10000, or --keep-last 3 --keep-weekly 8.
        """)

    @OptionGroup var place: ArchiveArgument

    @Option(help: ArgumentHelp("Keep the last so many.", valueName: "n"))
    var keepLast: Int?

    @Option(help: ArgumentHelp("Keep steps that are multiples of this.", valueName: "steps"))
    var keepEvery: UInt64?

    @Option(help: ArgumentHelp("Keep the last of each of the last so many hours that have one.", valueName: "n"))
    var keepHourly: Int?

    @Option(help: ArgumentHelp("The same of days.", valueName: "n"))
    var keepDaily: Int?

    @Option(help: ArgumentHelp("The same of weeks.", valueName: "n"))
    var keepWeekly: Int?

    @Option(
      help: ArgumentHelp(
        "Keep what latest, best, a link or another marker file in this folder of originals points to; may be repeated.",
        valueName: "folder"))
    var keepPointed: [String] = []

    @Flag(help: "Keep the first.")
    var keepFirst = false

    @Flag(help: "Keep those with tags: as always, but nothing else.")
    var keepTag = false

    @Option(
      help: ArgumentHelp(
        "Time from a mark to the deletion, as 24h, the default, 30m or 7d; 0 only where all machines see one file system at once.",
        valueName: "time"))
    var grace: String?

    @Flag(name: [.customShort("n"), .long], help: "Say what would be done; write nothing.")
    var dryRun = false

    @OptionGroup var report: ReportOptions

    func run() throws {
      var retention = Retention()
      let counts = [
        ("last", keepLast), ("hourly", keepHourly), ("daily", keepDaily), ("weekly", keepWeekly),
        ("every", keepEvery.map(Int.init(clamping:))),
      ]
      if let (name, _) = counts.first(where: { $0.1.map { $0 < 1 } ?? false }) {
        throw ValidationError("--keep-\(name) is a number from 1 on")
      }
      guard !keepPointed.contains("") else { throw ValidationError("a folder name is empty") }
      (retention.last, retention.every) = (keepLast, keepEvery)
      retention.periods[.hour] = keepHourly
      retention.periods[.day] = keepDaily
      retention.periods[.week] = keepWeekly
      (retention.keepsFirst, retention.keepsTags) = (keepFirst, keepTag)
      let grace = try grace.map(Self.seconds) ?? Pruner.standardGrace
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let archive = try openArchive(path)
        let done = try attemptLibrary(path) { () throws(SwzipError) in
          var retention = retention
          for folder in keepPointed { retention.pointers.append((folder, try Pointers(in: folder))) }
          let pruner = Pruner(archive, retention, grace: grace)
          return dryRun ? try pruner.plan() : try pruner.run()
        }
        PruneText(done, isPlan: dryRun).say(path, console)
      }
    }

    /// "24h", "30m", "7d", "90s", "0".
    static func seconds(_ text: String) throws -> Int64 {
      let digits = text.prefix { ("0"..."9").contains($0) }
      let units: [String: Int64] = ["": 1, "s": 1, "m": 60, "h": 3600, "d": 86400]
      guard let number = Int64(digits), number < 1 << 32, let unit = units[String(text.dropFirst(digits.count))] else {
        throw ValidationError("a time is like 24h, 30m or 7d, not '\(text)'")
      }
      return number * unit
    }
  }
}
