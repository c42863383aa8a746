// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CSwzip
internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

// Archives of checkpoints.

/// Runs what is about an archive; what is wrong is of its folder, unless it says another one.
private func inArchive(
  _ path: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<swz_error>?, _ body: (Archive) throws(SwzipError) -> Void
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let path = try unsafe required(path, "archive")
    try ofFile(path) { () throws(SwzipError) in try body(Archive(path)) }
  }
}

@c @implementation
public func swz_archive_create(_ path: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<swz_error>?) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let path = try unsafe required(path, "archive")
    try ofFile(path) { () throws(SwzipError) in _ = try Archive.create(path) }
  }
}

/// How a call adds: `swz_add_options` and `swz_call`, checked.
private struct Adding {
  let options: AddOptions
  let progress: ProgressHandler?
  private(set) var step: UInt64?
  private(set) var warn: (String) -> Void = { _ in }

  init(_ given: UnsafePointer<swz_add_options>?, _ call: UnsafePointer<swz_call>?) throws(SwzipError) {
    let call = try unsafe Call(call)
    var packing = PackOptions()
    (packing.threads, packing.control, progress) = (call.threads, call.control, call.progress)
    guard let given = unsafe given?.pointee else {
      options = AddOptions(packing)
      return
    }
    guard unsafe given.size == MemoryLayout<swz_add_options>.size else {
      throw .argument("the size of swz_add_options")
    }
    guard unsafe (0...9).contains(given.level) else { throw .argument("level \(unsafe given.level)") }
    guard unsafe (0...63).contains(given.max_depth) else { throw .argument("max_depth \(unsafe given.max_depth)") }
    if unsafe given.level > 0 { packing.level = unsafe Int(given.level) }
    var options = AddOptions(packing)
    if unsafe given.max_depth > 0 { options.mostDepth = unsafe Int(given.max_depth) }
    options.standsAlone = unsafe given.stands_alone != 0
    options.takesIncomplete = unsafe given.as_is != 0
    options.part = try unsafe Self.part(given)
    self.options = options
    step = unsafe given.step?.pointee
    if let function = unsafe given.warn {
      warn = { text in unsafe function(given.warn_context, text) }
    }
  }

  private static func part(_ given: swz_add_options) throws(SwzipError) -> PartOption? {
    guard unsafe given.parts != 0 || given.part != 0 || given.group != nil else { return nil }
    let group = try unsafe given.group.map { group throws(SwzipError) in try unsafe required(group, "group") }
    guard let number = unsafe UInt16(exactly: given.part), let count = unsafe UInt16(exactly: given.parts),
      group != "", let part = PartOption(number: number, count: count, group: group)
    else {
      throw .argument("part \(unsafe given.part) of \(unsafe given.parts), or its group")
    }
    return part
  }

  /// The step of what is at `path`.
  func step(of path: String) throws(SwzipError) -> UInt64 {
    guard let step = step ?? SwzipArchive.step(inName: splitPath(path)?.name ?? path) else {
      throw .argument("the name does not say the step")
    }
    guard step <= ContainerName.mostStep else { throw .argument("steps have at most twelve digits") }
    return step
  }
}

@c @implementation
public func swz_archive_add(
  _ archive: UnsafePointer<CChar>?, _ path: UnsafePointer<CChar>?,
  _ checkpoint: UnsafeMutablePointer<swz_checkpoint>?, _ options: UnsafePointer<swz_add_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe inArchive(archive, error) { (archive) throws(SwzipError) in
    let adding = try unsafe Adding(options, call)
    let path = try unsafe required(path, "path")
    try unsafe check(checkpoint)
    try ofFile(path) { () throws(SwzipError) in
      let files = try CheckpointFiles(path)
      let added = try Adder(archive, adding.options).add(
        files, step: adding.step(of: files.path), progress: adding.progress)
      added.warnings.forEach(adding.warn)
      unsafe fill(checkpoint, added.checkpoint, [added.container], isNew: added.isNew)
    }
  }
}

/// Throws for a struct whose size is not that of this version.
private func check(_ checkpoint: UnsafeMutablePointer<swz_checkpoint>?) throws(SwzipError) {
  guard unsafe checkpoint?.pointee.size ?? MemoryLayout<swz_checkpoint>.size == MemoryLayout<swz_checkpoint>.size else {
    throw .argument("the size of swz_checkpoint")
  }
}

private func fill(
  _ target: UnsafeMutablePointer<swz_checkpoint>?, _ checkpoint: Checkpoint, _ stored: [StoredContainer], isNew: Bool
) {
  guard let target = unsafe target else { return }
  unsafe write(Array(checkpoint.name.utf8), &target.pointee.name)
  unsafe write(Array(checkpoint.identity.description.utf8), &target.pointee.id)
  unsafe target.pointee.is_new = isNew ? 1 : 0
  unsafe target.pointee.step = checkpoint.step
  unsafe target.pointee.byte_count = stored.reduce(0) { $0 &+ $1.originalByteCount }
  unsafe target.pointee.packed_byte_count = stored.reduce(0) { $0 &+ $1.byteCount }
  unsafe target.pointee.part_count = checkpoint.partCount
  unsafe target.pointee.parts_there = checkpoint.parts.count
  unsafe target.pointee.is_exact = stored.allSatisfy { $0.inexact == nil } ? 1 : 0
}

@c @implementation
public func swz_archive_open(
  _ archive: UnsafePointer<CChar>?, _ word: UnsafePointer<CChar>?, _ part: Int,
  _ warn: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void)?,
  _ context: UnsafeMutableRawPointer?, _ container: UnsafeMutablePointer<OpaquePointer?>?,
  _ checkpoint: UnsafeMutablePointer<swz_checkpoint>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe inArchive(archive, error) { (archive) throws(SwzipError) in
    let word = try unsafe required(word, "word")
    try unsafe check(checkpoint)
    try unsafe hand(container) { () throws(SwzipError) in
      let open = try archive.open(word)
      guard open.parts.indices.contains(part) else { throw .argument("there is no part \(part)") }
      for line in open.passedOver { unsafe warn?(context, line) }
      unsafe fill(checkpoint, open.checkpoint, open.parts.map(\.stored), isNew: false)
      return try OpenContainer(open.parts[part].container, open.parts[part].again)
    }
  }
}

@c @implementation
public func swz_archive_tag(
  _ archive: UnsafePointer<CChar>?, _ word: UnsafePointer<CChar>?, _ tag: UnsafePointer<CChar>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe inArchive(archive, error) { (archive) throws(SwzipError) in
    let (word, tag) = try unsafe (required(word, "word"), required(tag, "tag"))
    try archive.tag(archive.look().checkpoint(word), tag)
  }
}

@c @implementation
public func swz_archive_forget(
  _ archive: UnsafePointer<CChar>?, _ word: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe inArchive(archive, error) { (archive) throws(SwzipError) in
    let word = try unsafe required(word, "word")
    let holdings = try archive.look()
    try archive.forget([holdings.checkpoint(word)], in: holdings)
  }
}

// MARK: listings

/// What is behind a `swz_listing`.
@safe private final class Listing {
  private let strings = CStrings()
  let json: UnsafePointer<CChar>

  init(_ archive: Archive) throws(SwzipError) {
    unsafe json = strings.add(description(of: archive, try archive.look()))
  }
}

@c @implementation
public func swz_archive_list(
  _ archive: UnsafePointer<CChar>?, _ listing: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe inArchive(archive, error) { (archive) throws(SwzipError) in
    try unsafe hand(listing) { () throws(SwzipError) in try Listing(archive) }
  }
}

@c @implementation
public func swz_listing_json(_ listing: OpaquePointer?) -> UnsafePointer<CChar>? {
  guard let listing = unsafe listing else { return nil }
  return unsafe Unmanaged<Listing>.fromOpaque(UnsafeRawPointer(listing)).takeUnretainedValue().json
}

@c @implementation
public func swz_listing_close(_ listing: OpaquePointer?) { unsafe close(listing, Listing.self) }
