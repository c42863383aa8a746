/// Bytes that a source lends: they stay where they are, unchanged, as long as this is there.
@safe public struct LentBytes: @unchecked Sendable {  // read only
  public let bytes: UnsafeRawBufferPointer
  /// Readable bytes behind them.
  package let slack: Int
  private let owner: AnyObject

  /// `owner` keeps the bytes, and `slack` readable ones behind them.
  public init(_ bytes: UnsafeRawBufferPointer, slack: Int = 0, owner: AnyObject) {
    unsafe self.bytes = bytes
    self.slack = slack
    self.owner = owner
  }
}

extension LentBytes {
  /// `count` of them, from `offset` on.
  package func part(at offset: Int, count: Int) -> LentBytes {
    unsafe LentBytes(
      UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]),
      slack: slack + bytes.count - offset - count, owner: owner)
  }
}
