package import SwzipCore

/// Bytes of a file that a container cannot give.
package struct Damage: Sendable {
  /// Its number in the container.
  package let file: Int
  /// Empty: what stands before its bytes is damaged, which only who reads the container forward needs.
  package let range: Range<UInt64>
  package let error: SwzipError

  package init(file: Int, range: Range<UInt64>, error: SwzipError) {
    (self.file, self.range, self.error) = (file, range, error)
  }
}

extension Container {
  private static let batchSegments = 256
  private static let stepBytes: UInt64 = 1 << 20

  /// Compares the hashes of all that is stored before the directory, in order; decodes nothing, and needs no base. Where nothing
  /// is found no byte of the container has changed since it was written. What the system cannot read is damage too.
  /// `progress`: in bytes of the container.
  package func damage(threads: Int, progress: ProgressHandler? = nil) throws(SwzipError) -> [Damage] {
    var found: [Damage] = []
    for number in index.directory.members.indices {
      if let error = try Self.failure(of: { () throws(SwzipError) in try checkFrame(ofMember: number) }) {
        found += damage(toMember: number, 0..<0, error)
      }
    }
    try withTeam(threads: threads, nil) { control throws(SwzipError) in
      for first in stride(from: 0, to: index.segments.count, by: Self.batchSegments) {
        let batch = first..<min(first + Self.batchSegments, index.segments.count)
        let parts = Guarded<[Int: [Lost]]>([:])
        try workers.lend(max(1, threads)) { (workers) throws(SwzipError) in
          try runJobs(threads: workers.count, count: batch.count, control) { job, worker throws(SwzipError) in
            let lost = try check(batch.lowerBound + job, on: workers[worker])
            if !lost.isEmpty { parts.withLock { $0[batch.lowerBound + job] = lost } }
          }
        }
        for (number, part) in parts.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
          for lost in part { found += damage(toMember: index.segments[number].member, lost.range, lost.error) }
        }
        let last = index.segments[batch.upperBound - 1]
        progress?(last.blocksPosition + last.record.blocksByteCount)
      }
    }
    return found
  }

  /// A range of a member of the container.
  private struct Lost {
    let range: Range<UInt64>
    let error: SwzipError
  }

  /// What is damaged of a segment: all of it where its frame or its part of the block tables is.
  private func check(_ number: Int, on worker: ReadWorker) throws(SwzipError) -> [Lost] {
    let place = index.segments[number]
    var opened: OpenSegment?
    let failure = try Self.failure { () throws(SwzipError) in
      let frame = try worker.bytes(place.framePosition..<place.blocksPosition, of: source)
      let header = try unsafe OpenSegment.readHeader(frame.bytes.bytes, place, number: number)
      guard rules.allows(header, of: place.member) else {
        throw SwzipError(.corrupt, .reference, at: place.framePosition)
      }
      opened = try OpenSegment(header, tables(of: number..<(number + 1), source)[0], place)
    }
    guard let segment = opened else {
      let range = place.memberOffset..<(place.memberOffset + place.record.byteCount)
      return failure.map { [Lost(range: range, error: $0)] } ?? []
    }
    let positions = segment.table.positions
    var found: [Lost] = []
    var first = 0
    while first < segment.table.entries.count {
      let most = positions[first] + Self.stepBytes
      let end = max(first + 1, positions.partitioningIndex { $0 > most } - 1)
      var bytes: LentBytes?
      // What cannot be read in one piece may be read in part.
      let isWhole =
        try Self.failure { () throws(SwzipError) in
          bytes = try worker.bytes(positions[first]..<positions[end], of: source)
        } == nil
      for block in first..<end {
        let error = try Self.failure { () throws(SwzipError) in
          let range = segment.table.range(ofBlock: block)
          let frame =
            if isWhole, let bytes {
              bytes.part(
                at: Int(range.lowerBound - positions[first]), count: Int(range.upperBound - range.lowerBound))
            } else {
              try worker.bytes(range, of: source)
            }
          try unsafe segment.decoder.checkStored(
            frame.bytes, block: UInt64(block), entry: segment.table.entries[block], position: range.lowerBound)
        }
        if let error { found.append(Lost(range: segment.range(ofBlock: block), error: error)) }
      }
      first = end
    }
    return found
  }

  /// What damage or the disk makes a call throw; anything else is thrown again.
  private static func failure(of call: () throws(SwzipError) -> Void) throws(SwzipError) -> SwzipError? {
    do throws(SwzipError) {
      try call()
      return nil
    } catch {
      guard error.kind == .corrupt || error.kind == .io else { throw error }
      return error
    }
  }

  /// In the files that lie in a range of a member.
  private func damage(toMember member: Int, _ range: Range<UInt64>, _ error: SwzipError) -> [Damage] {
    guard !range.isEmpty else {
      return [Damage(file: files.partitioningIndex { $0.member >= member }, range: range, error: error)]
    }
    return files.indices.compactMap { number in
      files[number].member == member
        ? files[number].part(of: range).map { Damage(file: number, range: $0, error: error) } : nil
    }
  }

  // MARK: what refers to it

  /// Ranges of its files that cannot be decoded: those of `damage`, and what refers to these or to `lost` ranges of its bases.
  package func lost(
    _ damage: [Damage], bases lost: (Base) -> RangeList
  ) throws(SwzipError) -> [Int: RangeList] {
    var ranges = index.directory.members.map { _ in RangeList() }
    for part in damage where !decodes(part) {
      let start = files[part.file].offset
      ranges[files[part.file].member].insert((start + part.range.lowerBound)..<(start + part.range.upperBound))
    }
    let basesLost = index.directory.members.map { $0.header.bases.map { lost(Base($0)) } }
    let isRead = !damage.isEmpty || basesLost.contains { $0.contains { !$0.ranges.isEmpty } }
    for (number, place) in index.segments.enumerated() where isRead {
      // Without its frame all of it is lost already.
      guard let header = try? OpenSegment.readHeader(source, place, number: number), header.refers,
        header.blockCount == place.record.blockCount, rules.allows(header, of: place.member)
      else { continue }
      let blockBytes = UInt64(header.blockValues) * UInt64(header.width)
      for reference in header.references {
        let there: RangeList
        switch reference {
        case .earlier(let other, _): there = ranges[Int(other)]
        case .base(let other, _): there = basesLost[place.member][Int(other)]
        }
        guard there.overlaps(reference.offset..<(reference.offset + header.referencedByteCount)) else { continue }
        for block in 0..<header.blockCount {
          let count = header.valueCount(ofBlock: block)
          let start = reference.offset + block * UInt64(header.blockValues) * UInt64(header.referenceWidth)
          guard there.overlaps(start..<(start + UInt64(count * header.referenceWidth))) else { continue }
          let own = place.memberOffset + block * blockBytes
          ranges[place.member].insert(own..<(own + UInt64(count * header.width)))
        }
      }
    }
    var found: [Int: RangeList] = [:]
    for (number, file) in files.enumerated() {
      let parts = ranges[file.member].ranges.compactMap { file.part(of: $0) }
      if !parts.isEmpty { found[number] = RangeList(parts) }
    }
    return found
  }
}

extension Container {
  /// Whether a damaged block decodes all the same, to what was packed: that its stored hash differs troubles nobody who reads it
  /// as a base.
  private func decodes(_ damage: Damage) -> Bool {
    guard damage.error.rule == .storedHash, let memory = try? Memory(damage.range.count) else { return false }
    let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<damage.range.count])
    return unsafe (try? read(member: damage.file, offset: damage.range.lowerBound, into: bytes, policy: .loader)) != nil
  }
}

extension FilePlace {
  /// The part of a range of the member that lies in the file, from its beginning on; nil if none does.
  fileprivate func part(of range: Range<UInt64>) -> Range<UInt64>? {
    let part = range.clamped(to: offset..<end)
    return part.isEmpty ? nil : (part.lowerBound - offset)..<(part.upperBound - offset)
  }
}
