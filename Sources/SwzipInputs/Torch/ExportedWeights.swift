internal import SwzipCore
internal import SwzipNames

/// The list of a torch.export archive of what tensor lies in which record (PayloadConfig in torch/_export/serde/schema.py).
enum ExportedWeights {
  struct Weight {
    var name: String
    /// The record's name in the list's folder.
    var path: String
    var view: TorchView
  }

  /// The tensors whose values are stored as they are; none if it is no such list.
  static func read(_ text: [UInt8]) -> [Weight] {
    var reader = JSONReader(text, from: 0)
    var weights: [Weight] = []
    let good = reader.object { reader, key in
      guard key == "config" else { return reader.skipValue() }
      return reader.object { reader, name in
        var path: String?
        var view: TorchView?
        let good = reader.object { reader, key in
          switch key {
          case "path_name":
            path = reader.string()
            return path != nil
          case "tensor_meta":
            let start = reader
            view = Self.view(&reader)
            if view != nil { return true }
            reader = start
            return reader.skipValue()
          default: return reader.skipValue()
          }
        }
        if let path, let view, weights.count < Limits.tensors {
          weights.append(Weight(name: name.wrappedValue, path: path, view: view))
        }
        return good
      }
    }
    return good ? weights : []
  }

  /// TensorMeta; nil without a type that is known.
  private static func view(_ reader: inout JSONReader) -> TorchView? {
    var type: TorchType?
    var view = TorchView(type: .untyped, offset: 0, shape: [], strides: [])
    let good = reader.object { reader, key in
      switch key {
      case "dtype":
        guard let id = reader.integer() else { return false }
        type = types[id]
        return true
      case "sizes", "strides":
        guard let values = sizes(&reader) else { return false }
        if key == "sizes" { view.shape = values } else { view.strides = values }
        return true
      case "storage_offset":
        guard let value = size(&reader) else { return false }
        view.offset = value
        return true
      default: return reader.skipValue()
      }
    }
    guard good, let type, view.shape.count == view.strides.count else { return nil }
    view.type = type
    return view
  }

  private static func sizes(_ reader: inout JSONReader) -> [UInt64]? {
    guard reader.take("[") else { return nil }
    var values: [UInt64] = []
    if reader.take("]") { return values }
    repeat {
      guard values.count < Limits.rank, let value = size(&reader) else { return nil }
      values.append(value)
    } while reader.take(",")
    return reader.take("]") ? values : nil
  }

  /// SymInt: a number that is no expression.
  private static func size(_ reader: inout JSONReader) -> UInt64? {
    var value: UInt64?
    let good = reader.object { reader, key in
      guard key == "as_int" else { return reader.skipValue() }
      value = reader.integer()
      return value != nil
    }
    return good ? value : nil
  }

  /// ScalarType.
  private static let types: [UInt64: TorchType] = [
    1: .init(.u8), 2: .init(.i8), 3: .init(.i16), 4: .init(.i32), 5: .init(.i64), 6: .init(.f16), 7: .init(.f32),
    8: .init(.f64), 9: .init(.f16, byteCount: 4), 10: .init(.c64), 11: .init(.f64, byteCount: 16), 12: .init(.bool),
    13: .init(.bf16), 28: .init(.u16), 29: .init(.f8e4m3), 30: .init(.f8e5m2), 31: .init(.f8e4m3fnuz),
    32: .init(.f8e5m2fnuz),
  ]
}
