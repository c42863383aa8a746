internal import CSwzipKernels

/// Mode planes of a block type (spec/codecs/planes.md): sections for the fields of one byte, then for the longer ones, which
/// may be grouped by the scales of the values.
package enum FieldsBlock {
  /// Flag of the block: values are in groups.
  package static let grouped: UInt8 = 1
  private static let groupCount = 4
  /// Bytes between planes in memory: kernels read and write whole units.
  private static let slack = 512

  /// Room that the frame may take while it is being written.
  package static func bound(_ valueCount: Int, _ layout: BlockLayout) -> Int {
    layout.fields.reduce(32 + groupCount * layout.fields.count * PlaneSection.bound(0)) {
      $0 + PlaneSection.bound(valueCount * $1)
    }
  }

  // MARK: encoding

  /// Writes the sections and returns the frame's size and flags.
  package static func encode(
    _ source: UnsafeRawBufferPointer, _ layout: BlockLayout, into frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch, effort: Effort
  ) -> (byteCount: Int, flags: UInt8) {
    let count = source.count / layout.byteCount
    unsafe BytesBlock.clearParameters(frame)
    let area = unsafe FieldPlanes(layout, count, in: scratch.planeArea(FieldPlanes.byteCount(layout, count)))
    unsafe swzip_fields_split(
      source.baseAddress!, UInt32(count), layout.sizes, UInt32(layout.fields.count), area.targets)
    var end = 32
    func add(_ plane: UnsafePointer<UInt8>, _ byteCount: Int) {
      end = unsafe PlaneSection.encode(
        UnsafeRawBufferPointer(start: plane, count: byteCount), into: frame.baseAddress!, at: end, scratch: scratch,
        effort: effort)
    }
    let isGrouped = unsafe choose(area, layout, into: frame, scratch: scratch)
    area.codeMinimum()
    for field in layout.shortFields { unsafe add(area.planes[field]!, count) }
    for field in layout.longFields {
      if isGrouped {
        area.group(field)
        for (group, values) in area.groupCounts.enumerated() where values > 0 {
          unsafe add(area.groupPlanes[group]!, Int(values) * layout.fields[field])
        }
      } else {
        unsafe add(area.planes[field]!, count * layout.fields[field])
      }
    }
    return (end, isGrouped ? grouped : 0)
  }

  /// Whether groups pay; then their bounds are in the frame.
  private static func choose(
    _ area: FieldPlanes, _ layout: BlockLayout, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> Bool {
    guard layout.scale != nil, let field = layout.longFields.max(by: { layout.fields[$0] < layout.fields[$1] }) else {
      return false
    }
    var bounds = [UInt16](repeating: 0, count: groupCount - 1)
    unsafe swzip_scale_bounds(area.scales, UInt32(area.count), &bounds)
    area.assignGroups(bounds)
    area.group(field)
    let size = layout.fields[field]
    let together = unsafe cost(area.planes[field]!, area.count * size, scratch: scratch)
    var apart: UInt64 = 0
    for (group, values) in area.groupCounts.enumerated() {
      apart += unsafe cost(area.groupPlanes[group]!, Int(values) * size, scratch: scratch)
    }
    // A section more costs up to 200 bytes, in 1/64 bit.
    let sections = UInt64(layout.longFields.count * (groupCount - 1) * 200 * 8 * 64)
    guard apart + sections < together else { return false }
    for (index, bound) in bounds.enumerated() {
      unsafe frame.storeBytes(of: bound.littleEndian, toByteOffset: 26 + 2 * index, as: UInt16.self)
    }
    return true
  }

  /// Order-0 information of a plane in 1/64 bit.
  private static func cost(_ plane: UnsafePointer<UInt8>, _ byteCount: Int, scratch: EncodeScratch) -> UInt64 {
    let counts = unsafe scratch.clearedCounts()
    unsafe swzip_histogram_add(plane, byteCount, 1, counts)
    return unsafe swzip_histogram_information(counts)
  }

  // MARK: decoding

  package static func decode(
    _ frame: UnsafeRawBufferPointer, flags: UInt8, _ layout: BlockLayout, into out: UnsafeMutableRawBufferPointer,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) {
    let bounds = (0..<(groupCount - 1)).map {
      unsafe UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26 + 2 * $0, as: UInt16.self))
    }
    guard flags & ~grouped == 0, flags != 0 || bounds.allSatisfy({ $0 == 0 }) else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    guard flags == 0 || layout.scale != nil && bounds[0] <= bounds[1] && bounds[1] <= bounds[2] else {
      throw SwzipError(.corrupt, .blockHeader, at: position)
    }
    let count = out.count / layout.byteCount
    try scratch.prepare(count * layout.fields.max()!, planes: 0)
    let area = try unsafe FieldPlanes(layout, count, in: scratch.planeArea(FieldPlanes.byteCount(layout, count)))
    var end = 32
    func next(_ byteCount: Int, into target: UnsafeMutablePointer<UInt8>) throws(SwzipError) -> UnsafePointer<UInt8> {
      let plane = try unsafe PlaneSection.decode(
        frame, at: end, count: byteCount, into: target, scratch: scratch, position: position)
      end = plane.end
      return unsafe plane.bytes
    }
    for field in layout.shortFields {
      unsafe area.planes[field] = try unsafe next(count, into: area.targets[field]!)
    }
    area.decodeMinimum()
    if flags != 0 { area.assignGroups(bounds) }
    for field in layout.longFields {
      let size = layout.fields[field]
      guard flags != 0 else {
        unsafe area.planes[field] = try unsafe next(count * size, into: area.targets[field]!)
        continue
      }
      area.layOutGroups(field)
      for (group, values) in area.groupCounts.enumerated() where values > 0 {
        unsafe area.groupPlanes[group] = try unsafe next(Int(values) * size, into: area.groupTargets[group]!)
      }
      area.ungroup(field)
    }
    guard end == frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
    unsafe swzip_fields_merge(
      area.planes, UInt32(count), layout.sizes, UInt32(layout.fields.count), out.baseAddress!)
  }

  // MARK: planes

  /// The planes of a block in one stretch of memory, which outlives the call.
  @safe private final class FieldPlanes {
    let count: Int
    private let layout: BlockLayout
    /// Where planes are made.
    private(set) var targets: [UnsafeMutablePointer<UInt8>?] = unsafe []
    /// Where planes are: a raw one stays in its frame.
    var planes: [UnsafePointer<UInt8>?] = unsafe []
    private(set) var groupTargets: [UnsafeMutablePointer<UInt8>?] = unsafe []
    var groupPlanes: [UnsafePointer<UInt8>?] = unsafe []
    private(set) var groupCounts = [UInt32](repeating: 0, count: groupCount)
    /// The group of each value.
    private let groups: UnsafeMutablePointer<UInt8>
    private let groupMemory: UnsafeMutablePointer<UInt8>

    static func byteCount(_ layout: BlockLayout, _ count: Int) -> Int {
      let longest = layout.fields.max()!
      return layout.fields.reduce(0) { $0 + count * $1 + slack } + count + groupCount * slack + count * longest
    }

    /// `memory` has `byteCount` bytes.
    init(_ layout: BlockLayout, _ count: Int, in memory: UnsafeMutablePointer<UInt8>) {
      self.layout = layout
      self.count = count
      var next = unsafe memory
      for size in layout.fields {
        unsafe targets.append(next)
        unsafe planes.append(UnsafePointer(next))
        unsafe next += count * size + slack
      }
      unsafe groups = next
      unsafe groupMemory = next + count
    }

    /// Planes of the bytes of scale and minimum, low byte first.
    var scales: [UnsafePointer<UInt8>?] {
      let first = layout.scale!
      let second = layout.minimum
      return unsafe [
        planes[first], planes[first + 1], second.flatMap { unsafe planes[$0] },
        second.flatMap { unsafe planes[$0 + 1] },
      ]
    }

    func assignGroups(_ bounds: [UInt16]) {
      unsafe swzip_scale_groups(scales, UInt32(count), bounds, groups, &groupCounts)
    }

    /// Group planes for a field: as long as the groups are, one after the other.
    func layOutGroups(_ field: Int) {
      unsafe groupTargets = []
      var next = unsafe groupMemory
      for values in groupCounts {
        unsafe groupTargets.append(next)
        unsafe next += Int(values) * layout.fields[field] + slack
      }
      unsafe groupPlanes = unsafe groupTargets.map { unsafe UnsafePointer($0) }
    }

    func group(_ field: Int) {
      layOutGroups(field)
      unsafe swzip_fields_group(planes[field]!, UInt32(count), UInt32(layout.fields[field]), groups, groupTargets)
    }

    func ungroup(_ field: Int) {
      unsafe swzip_fields_ungroup(groupPlanes, UInt32(count), UInt32(layout.fields[field]), groups, targets[field])
    }

    /// The high byte of the minimum as its difference from that of the scale, and back.
    func codeMinimum() {
      guard let scale = layout.scale, let minimum = layout.minimum else { return }
      unsafe swzip_bytes_subtract(planes[minimum + 1], planes[scale + 1], UInt32(count), targets[minimum + 1])
    }

    func decodeMinimum() {
      guard let scale = layout.scale, let minimum = layout.minimum else { return }
      unsafe swzip_bytes_add(planes[minimum + 1], planes[scale + 1], UInt32(count), targets[minimum + 1])
      unsafe planes[minimum + 1] = unsafe UnsafePointer(targets[minimum + 1])
    }
  }
}
