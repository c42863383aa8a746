internal import ArgumentParser
internal import SwzipArchive
internal import SwzipCore

extension ArchiveVerbs {
  struct Forget: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forget checkpoints: they are not listed any more, and prune may delete them.",
      discussion: "Refused for those that have a tag, and for the last that can be restored.")

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("STEP, STEP@ATTEMPT or id:HEX.", valueName: "checkpoint"))
    var checkpoints: [String]

    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let archive = try openArchive(path)
        let found = try attemptLibrary(path) { () throws(SwzipError) in
          let holdings = try archive.look()
          let found = try checkpoints.map { word throws(SwzipError) in
            try holdings.checkpoint(word, preferringForgotten: false)
          }
          try archive.forget(found, in: holdings)
          return found
        }
        for checkpoint in found { say("forgotten", checkpoint, console) }
      }
    }
  }

  struct Unforget: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List forgotten checkpoints again, as long as they are not pruned.")

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("STEP, STEP@ATTEMPT or id:HEX, as list --forgotten says.", valueName: "checkpoint"))
    var checkpoints: [String]

    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let archive = try openArchive(path)
        for word in checkpoints {
          let found = try attemptLibrary(path) { () throws(SwzipError) in
            let holdings = try archive.look()
            let found = try holdings.checkpoint(word, preferringForgotten: true)
            try archive.unforget(found, in: holdings)
            return found
          }
          say("listed again", found, console)
        }
      }
    }
  }

  struct TagVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "tag", abstract: "Name a checkpoint, which is then kept; a name goes from one to another.")

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("STEP, STEP@ATTEMPT, a tag, id:HEX or latest.", valueName: "checkpoint"))
    var checkpoint: String?

    @Argument(help: ArgumentHelp("Such as best: a-z, 0-9, '.', '_' and '-', a letter first.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("Remove this tag instead.", valueName: "name"))
    var remove: String?

    @OptionGroup var report: ReportOptions

    func run() throws {
      guard remove == nil ? name != nil : checkpoint == nil else {
        throw ValidationError("name a checkpoint and its tag, or a tag with --remove")
      }
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let archive = try openArchive(path)
        if let remove {
          try attemptLibrary(path) { () throws(SwzipError) in try archive.removeTag(remove) }
          console.note("\(remove.printable) : removed")
          return console.emit(["tag": .string(remove), "removed": .bool(true)])
        }
        guard let checkpoint, let name else { return }
        let found = try attemptLibrary(path) { () throws(SwzipError) in
          let found = try archive.look().checkpoint(checkpoint)
          try archive.tag(found, name)
          return found
        }
        say("has the tag \(name)", found, console)
      }
    }
  }

  private static func say(_ what: String, _ checkpoint: Checkpoint, _ console: Console) {
    console.note("\(checkpoint.name) : \(what)")
    var fields = checkpoint.json
    fields["done"] = .string(what)
    console.emit(fields)
  }

  struct Rebuild: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a lost or damaged SWZARCHIVE anew, and give containers of other names theirs.")

    @OptionGroup var place: ArchiveArgument
    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let done = try attemptLibrary(path) { () throws(SwzipError) in try Archive.rebuild(path) }
        if done.wroteIdentity { console.note("\(path.printable) : SWZARCHIVE is written anew") }
        for name in done.renamed { console.note("\(name.from.printable) => \(name.to)") }
        if !done.wroteIdentity, done.renamed.isEmpty { console.note("\(path.printable) : nothing to do") }
        console.emit([
          "path": .string(path), "identity": .bool(done.wroteIdentity),
          "renamed": .array(done.renamed.map { .object(["from": .string($0.from), "to": .string($0.to)]) }),
        ])
      }
    }
  }

  struct Publish: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the names of what is there to the file FILES, for readers of a web server.",
      discussion: """
        list, show, restore, extract, diff and verify then take the URL of the archive, https://host/run.swza, and read of each container \
        what they need. What is added later shows when this has run again.
        """)

    @OptionGroup var place: ArchiveArgument
    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let archive = try openArchive(path)
        let count = try attemptLibrary(path) { () throws(SwzipError) in try archive.publish() }
        console.note("\(path.printable) : \(count) containers published")
        console.emit(["path": .string(path), "containers": .integer(UInt64(count))])
      }
    }
  }

  struct Clean: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove temporary files of killed runs that nobody changed for an hour.")

    @OptionGroup var place: ArchiveArgument
    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let count = try openArchive(path).clean()
        console.note("\(path.printable) : \(count) files removed")
        console.emit(["path": .string(path), "removed": .integer(UInt64(count))])
      }
    }
  }
}
