internal import SwzipNames

/// What a command asks of its process. A library needs none of it.
public enum Process {
  /// The words of the command line, that of the program first; any bytes.
  public static func arguments() -> [String] { System.arguments() }

  /// A variable of the environment, nil if it is not set.
  public static func environment(_ name: String) -> String? { System.environment(name) }

  /// The permission bits that a new file does not get. Call it before there are threads.
  public static func creationMask() -> UInt32 { System.creationMask() }

  /// Days since 1970.
  public static func day() -> UInt64 { UInt64(max(0, System.now().seconds)) / 86400 }

  /// Large memory goes back to the system when it is freed, so that the peak is what is in use.
  public static func returnLargeMemory() { System.returnLargeMemory() }

  public static func exit(_ status: Int32) -> Never { System.terminate(status) }
}

/// Measures time that goes on whatever happens to the wall clock.
public struct Stopwatch: Sendable {
  private let start = System.monotonicNanoseconds()

  public init() {}

  public var seconds: Double { Double(System.monotonicNanoseconds() - start) / 1e9 }
}
