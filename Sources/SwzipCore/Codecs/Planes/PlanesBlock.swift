internal import CSwzipKernels

/// Mode planes (spec/codecs/planes.md): a section for each byte of a value.
package enum PlanesBlock {
  /// Room that the frame may take while it is being written.
  package static func bound(_ valueCount: Int, width: Int) -> Int { 32 + width * PlaneSection.bound(valueCount) }

  /// Writes the sections and returns the frame's size.
  package static func encode(
    _ source: UnsafeRawBufferPointer, width: Int, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch,
    effort: Effort
  ) -> Int {
    let count = source.count / width
    unsafe BytesBlock.clearParameters(frame)
    let planes = unsafe scratch.planes(width)
    unsafe planes.withUnsafeBufferPointer {
      unsafe swzip_planes_split(source.baseAddress!, UInt32(count), UInt32(width), $0.baseAddress!)
    }
    var end = 32
    for index in 0..<width {
      end = unsafe PlaneSection.encode(
        UnsafeRawBufferPointer(start: scratch.plane(index), count: count), into: frame.baseAddress!, at: end,
        scratch: scratch,
        effort: effort)
    }
    return end
  }

  package static func decode(
    _ frame: UnsafeRawBufferPointer, width: Int, into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch,
    position: UInt64
  ) throws(SwzipError) {
    for index in 26..<32 {
      guard unsafe frame[index] == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    }
    let count = out.count / width
    try scratch.prepare(count, planes: width)
    var planes: [UnsafePointer<UInt8>?] = unsafe []
    var end = 32
    for index in 0..<width {
      let plane = try unsafe PlaneSection.decode(
        frame, at: end, count: count, into: scratch.plane(index), scratch: scratch, position: position)
      unsafe planes.append(plane.bytes)
      end = plane.end
    }
    guard end == frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
    unsafe planes.withUnsafeBufferPointer {
      unsafe swzip_planes_merge($0.baseAddress!, UInt32(count), UInt32(width), out.baseAddress!)
    }
  }
}
