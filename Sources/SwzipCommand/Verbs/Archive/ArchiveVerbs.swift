internal import ArgumentParser

struct ArchiveVerbs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Keep the checkpoints of a run in one folder: small, complete, restorable at any step.",
    discussion: """
      swzip archive init run.swza
      swzip archive add run.swza checkpoint-500      # its step from the name
      swzip archive list run.swza
      swzip archive restore run.swza latest -o resumed
      swzip archive prune run.swza --keep-last 3 --keep-every 1000
      swzip archive watch run.swza out --rm   # adds what a job leaves in out/

      Each checkpoint, a folder or a file, becomes one immutable container, as differences to one before it where that is smaller. \
      A checkpoint is named by its step (the last attempt at it), STEP@ATTEMPT, a tag, id:HEX or latest: the one of the highest step that \
      can be restored. Any number of processes may add, restore and prune at once, on any machine that sees the folder, and be killed at \
      any moment; what was added is proved to be on the disk. Copies made by cp or rsync are archives, in whatever order their files \
      come; never copy with --delete.
      """,
    subcommands: [
      Init.self, Add.self, Import.self, Watch.self, ListAll.self, Show.self, Restore.self, Extract.self, Differ.self,
      Check.self, Mend.self, Forget.self, Unforget.self, Prune.self, TagVerb.self, Stats.self, Rebuild.self,
      Publish.self, Clean.self,
    ])
}

/// The folder that all verbs of archives are about.
struct ArchiveArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("The archive: a folder.", valueName: "archive"))
  var archive: String

  mutating func validate() throws {
    guard !archive.isEmpty else { throw ValidationError("a folder name is empty") }
  }
}
