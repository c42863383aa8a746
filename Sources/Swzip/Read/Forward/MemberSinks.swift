public import SwzipCore
public import SwzipNames

/// What is known of a member before its bytes.
public struct MemberInfo: Sendable {
  /// Relative, and safe to create below any folder (spec/FORMAT.md, section 8). Empty for a packed file.
  public var name: String
  /// Permission bits, at most 0777, if they were stored.
  public var mode: UInt16?
  /// Time of the last change, if it was stored.
  public var time: FileTime?
  /// Nil if it was unknown when writing began.
  public var byteCount: UInt64?
}

/// Where the members of a container go, one after another.
public protocol MemberSinks: AnyObject, Sendable {
  /// A member begins. Nil: it is not wanted; it is verified all the same.
  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)?
  /// All bytes of the member that began last have been written. Not called for one that was not wanted.
  func end() throws(SwzipError)
  /// A symbolic link, after all members have ended. `path`: the name of the member, or of the folder of members, that
  /// `target` leads to.
  func link(_ name: String, to target: String, path: String) throws(SwzipError)
  /// Reads back what was written to a member that has ended, for references to it. Throws `notRandomAccess` where that
  /// cannot be.
  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError)
}

/// The one member of a container that holds no folder.
final class SingleMember: MemberSinks {
  private let sink: any OutputSink

  init(_ sink: any OutputSink) { self.sink = sink }

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    guard number == 0 else { throw SwzipError(.refused, .severalFiles) }
    return sink
  }

  func end() throws(SwzipError) {}

  func link(_ name: String, to target: String, path: String) throws(SwzipError) {}

  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }
}

extension MemberInfo {
  init(_ header: MemberHeader) {
    self.init(name: header.name, mode: header.mode, time: header.time, byteCount: header.byteCount)
  }
}

extension MemberSinks {
  /// Makes a link of a container whose links were checked.
  func link(_ name: String, to target: String) throws(SwzipError) {
    guard let path = LinkTarget.resolve(target, from: name) else {
      throw SwzipError(.corrupt, .linkTarget, detail: name)
    }
    try link(name, to: target, path: path)
  }
}
