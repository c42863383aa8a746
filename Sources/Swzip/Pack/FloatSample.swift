internal import SwzipCore

extension RandomSource {
  /// `count` values of type F32, from `offset` on.
  func floats(at offset: UInt64, count: Int) throws(SwzipError) -> [Float] {
    let bytes = try bytes(at: offset, count: count * 4)
    // In bounds: as many were read. Little-endian, as the processors are.
    return unsafe bytes.withUnsafeBytes { bytes in
      (0..<count).map { unsafe bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }
}

extension Prediction {
  /// What is predicted of F32 values from as many of each reference.
  func predict(_ references: [[Float]]) -> [Float] {
    let byteCount = 4 * references[0].count
    var predicted = references[0]
    unsafe predicted.withUnsafeMutableBytes { target in
      unsafe references.flatMap(\.self).withUnsafeBytes { all in
        let parts = unsafe references.indices.map {
          unsafe UnsafeRawBufferPointer(rebasing: all[($0 * byteCount)..<(($0 + 1) * byteCount)])
        }
        unsafe predict(.f32, from: parts, into: target)
      }
    }
    return predicted
  }
}
