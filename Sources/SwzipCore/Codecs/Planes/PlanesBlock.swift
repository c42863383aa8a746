internal import CSwzipKernels

/// Mode planes (spec/codecs/planes.md): a section for each field of a value, which is each byte of a number.
package enum PlanesBlock {
  /// Bytes between the planes of a block in memory: kernels read and write whole units.
  private static let slack = 512

  /// Room that the frame may take while it is being written.
  package static func bound(_ valueCount: Int, _ type: ElementType) -> Int {
    type.fields.reduce(32) { $0 + PlaneSection.bound(valueCount * $1) }
  }

  /// Writes the sections and returns the frame's size.
  package static func encode(
    _ source: UnsafeRawBufferPointer, _ type: ElementType, into frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch, effort: Effort
  ) -> Int {
    let fields = type.fields
    let count = source.count / type.width
    unsafe BytesBlock.clearParameters(frame)
    let planes = unsafe places(count, fields, in: scratch.planeArea(memoryBytes(count, fields)))
    unsafe planes.withUnsafeBufferPointer {
      if type.isBlock {
        unsafe swzip_fields_split(
          source.baseAddress!, UInt32(count), sizes(fields), UInt32(fields.count), $0.baseAddress!)
      } else {
        unsafe swzip_planes_split(source.baseAddress!, UInt32(count), UInt32(fields.count), $0.baseAddress!)
      }
    }
    var end = 32
    for index in fields.indices {
      end = unsafe PlaneSection.encode(
        UnsafeRawBufferPointer(start: planes[index], count: count * fields[index]), into: frame.baseAddress!, at: end,
        scratch: scratch, effort: effort)
    }
    return end
  }

  package static func decode(
    _ frame: UnsafeRawBufferPointer, _ type: ElementType, into out: UnsafeMutableRawBufferPointer,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) {
    for index in 26..<32 {
      guard unsafe frame[index] == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    }
    let fields = type.fields
    let count = out.count / type.width
    try scratch.prepare(count * (fields.max() ?? 1), planes: 0)
    let room = try unsafe places(count, fields, in: scratch.planeArea(memoryBytes(count, fields)))
    var planes: [UnsafePointer<UInt8>?] = unsafe []
    var end = 32
    for index in fields.indices {
      let plane = try unsafe PlaneSection.decode(
        frame, at: end, count: count * fields[index], into: room[index]!, scratch: scratch, position: position)
      unsafe planes.append(plane.bytes)
      end = plane.end
    }
    guard end == frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
    unsafe planes.withUnsafeBufferPointer {
      if type.isBlock {
        unsafe swzip_fields_merge(
          $0.baseAddress!, UInt32(count), sizes(fields), UInt32(fields.count), out.baseAddress!)
      } else {
        unsafe swzip_planes_merge($0.baseAddress!, UInt32(count), UInt32(fields.count), out.baseAddress!)
      }
    }
  }

  private static func sizes(_ fields: [Int]) -> [UInt32] { fields.map { UInt32($0) } }

  /// Bytes that the planes of a block take in memory.
  private static func memoryBytes(_ valueCount: Int, _ fields: [Int]) -> Int {
    fields.reduce(0) { $0 + valueCount * $1 + slack }
  }

  /// Where each plane begins in memory of `memoryBytes`.
  private static func places(
    _ valueCount: Int, _ fields: [Int], in memory: UnsafeMutablePointer<UInt8>
  ) -> [UnsafeMutablePointer<UInt8>?] {
    var next = unsafe memory
    return unsafe fields.map { field in
      defer { unsafe next += valueCount * field + slack }
      return unsafe next
    }
  }
}
