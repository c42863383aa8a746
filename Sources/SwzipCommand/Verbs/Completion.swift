internal import ArgumentParser

struct Completion: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a completion script.",
    discussion: "For example: swzip completion bash >~/.local/share/bash-completion/completions/swzip")

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() throws {
    let script =
      switch shell {
      case .bash: Swzip.completionScript(for: .bash)
      case .zsh: Swzip.completionScript(for: .zsh)
      case .fish: Swzip.completionScript(for: .fish)
      }
    writeOut(script + "\n")
  }
}
