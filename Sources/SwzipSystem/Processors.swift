internal import CSwzipSystem

/// The processors that this process may use: those of its affinity mask, or fewer where a control group says so.
/// At least 1.
public func availableProcessors() -> Int {
  let affinity = Int(swzip_affinity_count())
  let count = affinity > 0 ? affinity : System.onlineProcessors()
  return max(1, min(count, controlGroupLimit() ?? count))
}

/// The smallest quota on the way from our control group to the root, in whole processors, rounded up.
func controlGroupLimit(root: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup") -> Int? {
  guard let groups = smallFile(membership) else { return nil }
  var limits: [Int] = []
  for line in groups.split(separator: "\n") {
    let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3 else { continue }
    if fields[1].isEmpty {
      limits += upwards(fields[2]).compactMap { parseQuota(smallFile(root + $0 + "/cpu.max")) }
    } else if fields[1].split(separator: ",").contains("cpu") {
      limits += upwards(fields[2]).compactMap { path in
        let folder = root + "/cpu" + path
        guard let quota = smallFile(folder + "/cpu.cfs_quota_us"), let period = smallFile(folder + "/cpu.cfs_period_us")
        else { return nil }
        return parseQuota(quota + " " + period)
      }
    }
  }
  return limits.min()
}

/// "200000 100000" is 2 processors; "max 100000" and "-1 100000" are no limit.
func parseQuota(_ text: String?) -> Int? {
  guard let text else { return nil }
  let numbers = text.split(whereSeparator: \.isWhitespace).map { Int($0) }
  guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0 else { return nil }
  return max(1, quota / period + (quota % period == 0 ? 0 : 1))
}

/// "/a/b" gives "/a/b", "/a" and "".
private func upwards(_ path: Substring) -> [String] {
  var parts = path.split(separator: "/")
  var paths = [""]
  while !parts.isEmpty {
    paths.append("/" + parts.joined(separator: "/"))
    parts.removeLast()
  }
  return paths
}

private func smallFile(_ path: String) -> String? {
  guard let file = try? FileHandle.open(path) else { return nil }
  var bytes = [UInt8](repeating: 0, count: 4096)
  // The pointer is used inside the closure only.
  guard let count = try? unsafe bytes.withUnsafeMutableBytes({ unsafe try file.read(into: $0) }) else { return nil }
  return String(decoding: bytes[..<count], as: UTF8.self)
}
