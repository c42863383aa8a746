internal import Swzip
internal import SwzipCore
internal import SwzipNames

/// What a new checkpoint may be differences to (spec/ARCHIVE.md, section 4, add 1).
struct BaseChoice {
  let holdings: Holdings
  /// Without what is doomed.
  private let resolution: Resolution

  init(_ holdings: Holdings) {
    self.holdings = holdings
    resolution = holdings.lasting
  }

  /// Containers, the nearest checkpoint first, then the one at the root of its chain.
  func candidates(step: UInt64, byteCount: UInt64, _ options: AddOptions) -> [Int] {
    guard !options.standsAlone, options.mostDepth > 0 else { return [] }
    let possible = holdings.containers.indices.filter {
      holdings.isListed(holdings.containers[$0]) && resolution.depths[$0] != nil
    }
    func order(_ number: Int) -> (UInt64, UInt32) {
      (holdings.containers[number].record.step, holdings.containers[number].record.attempt)
    }
    // The one before, or where there is none the one after.
    let before = possible.filter { order($0).0 <= step }.max { order($0) < order($1) }
    guard let nearest = before ?? possible.min(by: { order($0) < order($1) }) else { return [] }
    var found = [nearest]
    if let keyframe = resolution.keyframe(of: nearest), keyframe != nearest { found.append(keyframe) }
    let (mostChain, overflow) = byteCount.multipliedReportingOverflow(by: AddOptions.mostReadFactor - 1)
    return found.filter {
      (resolution.depths[$0] ?? .max) < options.mostDepth
        && (overflow || resolution.chainByteCount(of: $0) <= mostChain)
    }
  }

  /// The members, each with the file of a container that has its name, or its name but for numbers.
  func members(_ members: [PackMember], against number: Int) throws(SwzipError) -> [PackMember] {
    let stored = holdings.containers[number]
    let bases = ArchiveBases(holdings, resolution)
    let container: Container
    do throws(SwzipError) {
      container = try Container(bases.source(of: number), bases: bases)
    } catch {
      throw error.of(stored.path)
    }
    let pairs = FilePairs(stored.files)
    return members.map { member in
      guard member.linkPath == nil, let file = pairs.file(like: member.name, of: members) else { return member }
      var member = member
      let path = stored.path
      var base = PackBase(hint: "step \(stored.record.step)") { () throws(SwzipError) in
        OwnedSource(container.source(ofMember: file), path)
      }
      base.isOnlyTried = true
      member.bases = [base]
      return member
    }
  }
}

/// A source whose errors name the container that it is read from.
private final class OwnedSource: RandomSource {
  private let source: any RandomSource
  private let path: String

  init(_ source: any RandomSource, _ path: String) { (self.source, self.path) = (source, path) }

  var byteCount: UInt64 { source.byteCount }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on.
    do throws(SwzipError) { return try unsafe source.read(at: position, into: buffer) } catch {
      throw error.file == nil ? error.of(path) : error
    }
  }
}

/// Files of one checkpoint by the names that they have in another one: the same, or the same but for numbers, such as steps.
struct FilePairs {
  private var named: [Exact: Int] = [:]
  /// Nil where several have it.
  private var roles: [String: Int?] = [:]

  init(_ files: [Container.Member]) {
    for (number, file) in files.enumerated() where file.link == nil {
      named[Exact(file.name)] = number
      roles[Self.role(file.name)] = .some(roles[Self.role(file.name)] == nil ? number : nil)
    }
  }

  func file(like name: String, of members: [PackMember]) -> Int? {
    if let same = named[Exact(name)] { return same }
    let role = Self.role(name)
    guard members.count(where: { $0.linkPath == nil && Self.role($0.name) == role }) == 1 else { return nil }
    return roles[role] ?? nil
  }

  static func role(_ name: String) -> String {
    var role = ""
    for scalar in name.unicodeScalars {
      guard ("0"..."9").contains(scalar) else {
        role.unicodeScalars.append(scalar)
        continue
      }
      if !role.hasSuffix("#") { role += "#" }
    }
    return role
  }
}
