internal import CSwzipSystem

/// Whether memory has been touched since the system gave it, by the page of one address.
public func isTouched(_ address: UnsafeRawPointer) -> Bool { unsafe swzip_is_touched(address) != 0 }

/// Has the system give all pages of memory that nobody has touched yet; their content stays.
public func touch(_ memory: UnsafeMutableRawBufferPointer) {
  if let start = memory.baseAddress { unsafe swzip_touch(start, memory.count) }
}
