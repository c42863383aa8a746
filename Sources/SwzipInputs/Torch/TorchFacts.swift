package import SwzipCore
package import SwzipNames

/// What files of torch say of the checkpoint that they belong to. Nothing is executed, imported or built.
package enum TorchFacts {
  /// Whether a file is as long as its end says: an archive that `torch.save` writes has its end record last. True for what is
  /// no archive.
  package static func isWhole(_ input: some InputBytes) throws(SwzipError) -> Bool {
    guard let end = input.byteCount, try input.peek(4) == ZipLocalHeader.magic else { return true }
    var window = InputWindow(input)
    return try ZipArchive.endsWhole(at: end, &window)
  }

  /// The greatest of the numbers, alone or in a list, that a file of `torch.save` holds under a key in any of its dicts. Nil where
  /// there is none, or the file is unusual.
  package static func number(_ key: String, in input: some InputBytes) throws(SwzipError) -> Int64? {
    guard let end = input.byteCount else { return nil }
    var window = InputWindow(input)
    guard let archive = try ZipArchive(before: end, &window),
      let record = archive.records.first(where: { $0.isStored && $0.name.withoutSuffix("/data.pkl") != nil })
    else { return nil }
    let objects: TorchObjects
    do throws(PickleFault) {
      objects = try PickleMachine.read(
        window, at: record.offset, end: record.offset + record.byteCount, keys: [key]
      ).objects
    } catch .input(let error) {
      throw error
    } catch {
      return nil
    }
    for dictionary in objects.dictionaries {
      switch dictionary[key] {
      case .integer(let number): return number
      case .container(let list):
        let numbers = objects.entries(of: list).compactMap { entry -> Int64? in
          if case .integer(let number) = entry.value { number } else { nil }
        }
        if let most = numbers.max() { return most }
      default: break
      }
    }
    return nil
  }

  /// What `.metadata` of a distributed checkpoint (torch/distributed/checkpoint/metadata.py) says of its files.
  package enum Parts {
    /// By their paths, which are relative to it: the least length of each.
    case files([Exact: UInt64])
    case truncated
    /// Not what torch writes.
    case unusual
  }

  private static let keys = ["relative_path", "offset", "length"]

  package static func parts(of metadata: some InputBytes) throws(SwzipError) -> Parts {
    let objects: TorchObjects
    do throws(PickleFault) {
      objects = try PickleMachine.read(InputWindow(metadata), at: 0, keys: keys).objects
    } catch .input(let error) {
      throw error
    } catch .truncated {
      return .truncated
    } catch {
      return .unusual
    }
    var files: [Exact: UInt64] = [:]
    for dictionary in objects.dictionaries {
      guard let path = dictionary["relative_path"].flatMap({ objects.text($0, atMost: 1024) }),
        case .integer(let offset) = dictionary["offset"], case .integer(let length) = dictionary["length"]
      else { continue }
      let (end, overflow) = UInt64(clamping: offset).addingReportingOverflow(UInt64(clamping: length))
      files[Exact(path)] = max(files[Exact(path)] ?? 0, overflow ? .max : end)
    }
    return .files(files)
  }
}
