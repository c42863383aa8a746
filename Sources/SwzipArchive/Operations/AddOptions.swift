package import Swzip

/// How a checkpoint is added.
package struct AddOptions: Sendable {
  package var packing: PackOptions
  /// A restore reads through at most so many containers besides the checkpoint's own.
  package var mostDepth = 8
  /// Without a base, whatever that costs.
  package var standsAlone = false
  /// Whatever seems to be missing.
  package var takesIncomplete = false
  /// Nil: all of it.
  package var part: PartOption?

  /// How far moments of optimizers may be from what is added.
  package var moments = MomentPolicy.exact

  package init(_ packing: PackOptions) { self.packing = packing }

  /// A restore reads at most so many times the bytes of the checkpoint.
  static let mostReadFactor: UInt64 = 4
}

/// What adding did.
package struct Addition: Sendable {
  package let checkpoint: Checkpoint
  package let container: StoredContainer
  /// The checkpoints that it is differences to.
  package let bases: [String]
  /// False where the same files were there for this step.
  package let isNew: Bool
  /// Whether restoring gives every byte of what was added: who removes that must ask.
  package internal(set) var isExact: Bool
  package internal(set) var warnings: [String]
}
