internal import SwzipCore

/// An element type of torch: how its values are coded, and how many bytes one takes.
struct TorchType: Equatable {
  /// `.bytes` where swzip knows no type for the values: quantised and unknown ones.
  var elementType: ElementType
  /// Bytes of a value; 0 where that is not known.
  var byteCount: UInt8

  init(_ elementType: ElementType, byteCount: Int? = nil) {
    self.elementType = elementType
    self.byteCount = UInt8(byteCount ?? elementType.width)
  }

  /// The unit of `torch.storage.UntypedStorage`; what uses the storage says the type.
  static let untyped = TorchType(.bytes)

  /// Whether a value of torch is one value of `elementType`, so that shapes mean the same.
  var isWhole: Bool { elementType != .bytes && elementType.bitCount == 8 * Int(byteCount) }

  /// A storage class or dtype by its name in module `torch`.
  init?(name: String) {
    if let known = Self.storages[name] ?? Self.dtypes[name] {
      self = known
    } else if name.hasSuffix("Storage") {
      self.init(.bytes, byteCount: 0)
    } else {
      return nil
    }
  }

  private static let storages: [String: TorchType] = [
    "DoubleStorage": .init(.f64), "FloatStorage": .init(.f32), "HalfStorage": .init(.f16),
    "BFloat16Storage": .init(.bf16), "LongStorage": .init(.i64), "IntStorage": .init(.i32),
    "ShortStorage": .init(.i16), "CharStorage": .init(.i8), "ByteStorage": .init(.u8), "BoolStorage": .init(.bool),
    "ComplexFloatStorage": .init(.c64), "ComplexDoubleStorage": .init(.f64, byteCount: 16),
    "QInt8Storage": .init(.bytes), "QUInt8Storage": .init(.bytes), "QUInt4x2Storage": .init(.bytes),
    "QUInt2x4Storage": .init(.bytes), "QInt32Storage": .init(.bytes, byteCount: 4), "UntypedStorage": .untyped,
  ]

  private static let dtypes: [String: TorchType] = [
    "float64": .init(.f64), "float32": .init(.f32), "float16": .init(.f16), "bfloat16": .init(.bf16),
    "int64": .init(.i64), "int32": .init(.i32), "int16": .init(.i16), "int8": .init(.i8), "uint8": .init(.u8),
    "uint16": .init(.u16), "uint32": .init(.u32), "uint64": .init(.u64), "bool": .init(.bool),
    "complex32": .init(.f16, byteCount: 4), "complex64": .init(.c64), "complex128": .init(.f64, byteCount: 16),
    "float8_e4m3fn": .init(.f8e4m3), "float8_e5m2": .init(.f8e5m2), "float8_e8m0fnu": .init(.f8e8m0),
    "float8_e4m3fnuz": .init(.f8e4m3fnuz), "float8_e5m2fnuz": .init(.f8e5m2fnuz),
    "float4_e2m1fn_x2": .init(.f4, byteCount: 1), "qint8": .init(.bytes), "quint8": .init(.bytes),
    "qint32": .init(.bytes, byteCount: 4), "quint4x2": .init(.bytes), "quint2x4": .init(.bytes),
  ]
}

/// What the functions of torch and NumPy that rebuild objects mean for tensors.
enum TorchFunction {
  /// (storage, offset, size, stride, …)
  case rebuildTensor
  /// (storage, offset, size, stride, requires_grad, hooks, dtype, …)
  case rebuildTensorWithType
  /// (tensor, …)
  case rebuildParameter
  /// (function, class, arguments of the function, …)
  case rebuildFromType
  /// (dimensions)
  case size
  /// NumPy's dtype: (name, …)
  case numPyType
  /// An array, of which the state tells all.
  case array
  /// (values, dtype, shape, order)
  case arrayFromBuffer

  /// By module and name; nil for everything else.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"),
      ("torch._utils", "_rebuild_qtensor"):
      self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTensorWithType
    case ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"):
      self = .rebuildParameter
    case ("torch._tensor", "_rebuild_from_type"), ("torch._tensor", "_rebuild_from_type_v2"):
      self = .rebuildFromType
    case ("torch", "Size"): self = .size
    case ("numpy", "dtype"): self = .numPyType
    case ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
      ("joblib.numpy_pickle", "NumpyArrayWrapper"):
      self = .array
    case ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"): self = .arrayFromBuffer
    default: return nil
    }
  }
}
