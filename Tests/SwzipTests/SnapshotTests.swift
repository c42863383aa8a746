import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Versions that are sent from memory to memory.
struct SnapshotTests {
  private func snapshot(_ bytes: [UInt8]) throws -> Snapshot {
    try unsafe bytes.withUnsafeBytes { try unsafe Snapshot($0) }
  }

  private func bytes(_ snapshot: Snapshot) -> [UInt8] { unsafe snapshot.withBytes { unsafe [UInt8]($0) } }

  private func encode(_ sender: Snapshot, _ next: [UInt8], _ threads: Int = 1) throws -> [UInt8] {
    try unsafe next.withUnsafeBytes { try unsafe sender.encode($0, options: options(threads: threads)) }
  }

  private func apply(_ receiver: Snapshot, _ container: [UInt8]) throws -> [TensorUpdate] {
    try unsafe container.withUnsafeBytes { try unsafe receiver.applyListingChanges($0) }
  }

  /// The last of ten versions, each by the one before; what changed is told, and is what a comparison finds.
  @Test func steps() throws {
    var version = BaseTests.before
    let (sender, receiver) = (try snapshot(version.bytes), try snapshot(version.bytes))
    var random = Random(8)
    for step in 0..<10 {
      let before = version
      let changed = step % version.tensors.count
      let width = version.tensors[changed].type.width
      var positions: [UInt64] = []
      for position in 0..<(version.tensors[changed].bytes.count / width) where random.below(60) == 0 {
        version.tensors[changed].bytes[position * width] &+= 1
        positions.append(UInt64(position))
      }
      let container = try encode(sender, version.bytes, 1 + step % 2)
      #expect(container.count * 20 < version.bytes.count)
      let updates = try apply(receiver, container)
      #expect(same(bytes(receiver), version.bytes) && same(bytes(sender), version.bytes))
      #expect(sender.sha256 == receiver.sha256)
      #expect(updates.map(\.name) == [before.tensors[changed].name] && updates[0].positions == positions)
      #expect(
        updates[0].values
          == positions.flatMap { position in
            version.tensors[changed].bytes[(Int(position) * width)..<((Int(position) + 1) * width)]
          })
      // What a step makes is a container as any other.
      #expect(same(try BaseTests.unpacked(container, bases: [before.bytes]), version.bytes))
    }
  }

  /// A version that is missing, comes twice or is damaged is refused, and nothing changes.
  @Test func refusals() throws {
    var version = BaseTests.before
    let (sender, receiver) = (try snapshot(version.bytes), try snapshot(version.bytes))
    var containers: [[UInt8]] = []
    for step in 1...3 {
      for place in stride(from: step, to: 9000, by: 50) { version.tensors[0].bytes[place] ^= 1 }
      containers.append(try encode(sender, version.bytes))
    }
    let first = bytes(receiver)
    #expect(throws: SwzipError.self) { try apply(receiver, containers[1]) }
    var damaged = containers[0]
    for place in stride(from: 0, to: damaged.count, by: 211) {
      damaged[place] ^= 8
      #expect(throws: SwzipError.self) { try apply(receiver, damaged) }
      damaged[place] ^= 8
    }
    #expect(same(bytes(receiver), first))
    _ = try apply(receiver, containers[0])
    let error = #expect(throws: SwzipError.self) { try apply(receiver, containers[0]) }
    #expect(error?.rule == .baseDiffers)
    for container in containers.dropFirst() { _ = try apply(receiver, container) }
    #expect(same(bytes(receiver), version.bytes))
  }

  /// Another file altogether, longer and shorter, and an empty one: whole tensors are told.
  @Test func otherFiles() throws {
    var other = SafetensorsFile()
    other.add("embedding", .bf16, [300, 128], .weights, seed: 77)
    other.add("new", .f32, [500, 300], .weights, seed: 78)
    let (sender, receiver) = (try snapshot(BaseTests.before.bytes), try snapshot(BaseTests.before.bytes))
    for next in [other.bytes, [], BaseTests.after.bytes] {
      let updates = try apply(receiver, try encode(sender, next))
      #expect(same(bytes(receiver), next) && receiver.byteCount == next.count)
      if next == other.bytes { #expect(updates.first { $0.name == "new" }?.positions == nil) }
    }
  }
}
