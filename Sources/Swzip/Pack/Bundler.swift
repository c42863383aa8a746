internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// Joins small files that follow each other to bundles: on its own each would cost a member, a segment and a block.
struct Bundler {
  static let mostFileBytes: UInt64 = 65_536
  private static let mostBundleBytes = UInt64(Limits.segmentBytes)
  private static let mostBundleFiles = 4096
  /// Of that many bytes and more a file is better a copy of an equal one, or differences to its base.
  static let leastOwnBytes: UInt64 = 4096

  /// The members of a folder, with their layouts.
  let planned: [PlannedMember]
  let members: [PackMember]

  /// The members in the same order, with bundles instead of what was joined.
  func join() throws(SwzipError) -> [PlannedMember] {
    let twins = try twins()
    var joined: [PlannedMember] = []
    var run: [Int] = []
    var runBytes: UInt64 = 0
    func endRun() {
      let files = run.map { planned[$0] }
      joined += files.count > 1 ? [PlannedMember(bundling: files)] : files
      (run, runBytes) = ([], 0)
    }
    for index in planned.indices {
      let byteCount = planned[index].header.byteCount ?? .max
      guard isSmall(index, byteCount), !twins.contains(index) else {
        endRun()
        joined.append(planned[index])
        continue
      }
      if runBytes + byteCount > Self.mostBundleBytes || run.count == Self.mostBundleFiles { endRun() }
      run.append(index)
      runBytes += byteCount
    }
    endRun()
    return joined
  }

  /// Files that equal others.
  private func twins() throws(SwzipError) -> Set<Int> {
    let small = planned.indices.filter {
      (Self.leastOwnBytes...Self.mostFileBytes).contains(planned[$0].header.byteCount ?? 0)
    }
    return try CopyFinder(sources: MemberSources(members.map(\.open))).equalFiles(small, planned.map(\.header))
  }

  private func isSmall(_ index: Int, _ byteCount: UInt64) -> Bool {
    byteCount <= Self.mostFileBytes && members[index].fitsBundle
      && (members[index].bases.isEmpty || byteCount < Self.leastOwnBytes)
  }
}

extension PackMember {
  /// Whether it may be a file of a bundle, whose table tells seconds by their differences.
  var fitsBundle: Bool { linkPath == nil && (time?.seconds.magnitude ?? 0) < 1 << 60 }
}

extension PlannedMember {
  /// One member of files, and of bundles of files, that follow each other.
  init(bundling parts: [PlannedMember]) {
    var layout = Layout()
    var files: [BundledFile] = []
    var members: [PackMember] = []
    var offset: UInt64 = 0
    for part in parts {
      let (header, byteCount) = (part.header, part.header.byteCount ?? 0)
      switch part.origin {
      case .file(let member):
        members.append(member)
        layout.warnings += part.layout.warnings.map { "\(header.name.printable): \($0)" }
      case .bundle(let others):
        members += others
        layout.warnings += part.layout.warnings
      case .input: preconditionFailure("what is open already is packed by itself")
      }
      files +=
        header.files ?? [BundledFile(name: header.name, mode: header.mode, time: header.time, byteCount: byteCount)]
      layout.tensors += part.layout.tensors.map { $0.moved(by: offset) }
      layout.memory += part.layout.memory
      for segment in part.layout.segments { layout.append(segment, movedBy: offset) }
      offset += byteCount
    }
    header = MemberHeader(bundling: files, storesSHA256: parts[0].header.storesSHA256)
    self.layout = layout
    origin = .bundle(members)
  }
}

extension Layout {
  /// Adds a segment behind the last; plain bytes, and what is too little for a segment of its own, join it.
  fileprivate mutating func append(_ segment: SegmentRange, movedBy offset: UInt64) {
    var moved = segment
    moved.offset += offset
    if UInt64(moved.byteCount) < Planner.leastBytes { moved.elementType = .bytes }
    if moved.elementType == .bytes, let last = segments.last, last.elementType == .bytes {
      segments[segments.count - 1].byteCount += moved.byteCount
    } else {
      segments.append(moved)
    }
  }
}

extension TensorRecord {
  fileprivate func moved(by offset: UInt64) -> TensorRecord {
    var moved = self
    moved.offset += offset
    return moved
  }
}
