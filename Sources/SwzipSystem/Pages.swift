internal import CSwzipSystem

/// Whether memory has been touched since the system gave it, by the page of one address.
public func isTouched(_ address: UnsafeRawPointer) -> Bool { unsafe swzip_is_touched(address) != 0 }
