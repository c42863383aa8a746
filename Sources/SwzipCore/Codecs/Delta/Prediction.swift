internal import CSwzipKernels

/// From what the values that a delta is coded against are computed (spec/codecs/delta.md, Predictions).
package enum Prediction: Equatable, Sendable {
  /// They are those of the one reference.
  case same
  case scaled(by: Double)
  case secondMoment(MomentDecay)
  case weight(MomentDecay, WeightStep)

  /// How Adam's moments decay in a step.
  package struct MomentDecay: Equatable, Sendable {
    package var beta1, beta2: Double

    package init(beta1: Double, beta2: Double) {
      self.beta1 = beta1
      self.beta2 = beta2
    }
  }

  /// How the moments change a weight.
  package struct WeightStep: Equatable, Sendable {
    package var decay, step, epsilon: Float

    package init(decay: Float, step: Float, epsilon: Float) {
      self.decay = decay
      self.step = step
      self.epsilon = epsilon
    }
  }

  package var referenceCount: Int {
    switch self {
    case .same, .scaled: 1
    case .secondMoment: 3
    case .weight: 4
    }
  }

  /// Whether values of the type may be predicted so.
  package func predicts(_ elementType: ElementType) -> Bool {
    switch self {
    case .same: true
    case .scaled, .secondMoment: elementType == .f32
    case .weight: elementType == .f32 || elementType == .bf16
    }
  }

  /// Bytes of a value of the references, of a segment of this type.
  package func referenceWidth(_ elementType: ElementType) -> Int {
    self == .same ? elementType.width : ElementType.f32.width
  }

  /// Computes values of type `elementType` into `target` from as many of each reference.
  package func predict(
    _ elementType: ElementType, from references: [UnsafeRawBufferPointer], into target: UnsafeMutableRawBufferPointer
  ) {
    var kernel = swzip_prediction()
    kernel.is_bf16 = elementType == .bf16
    switch self {
    case .same:
      unsafe target.copyMemory(from: references[0])
      return
    case .scaled(let factor):
      kernel.kind = SWZIP_PREDICT_SCALED
      kernel.scale = factor
    case .secondMoment(let decay):
      kernel.kind = SWZIP_PREDICT_SECOND_MOMENT
      (kernel.beta1, kernel.beta2) = (decay.beta1, decay.beta2)
    case .weight(let decay, let change):
      kernel.kind = SWZIP_PREDICT_WEIGHT
      (kernel.beta1, kernel.beta2) = (decay.beta1, decay.beta2)
      (kernel.decay, kernel.step, kernel.epsilon) = (change.decay, change.step, change.epsilon)
    }
    unsafe precondition(references.count == referenceCount)
    let count = target.count / elementType.width
    // The kernel reads as many values of each as it writes.
    unsafe precondition(references.allSatisfy { $0.count == count * referenceWidth(elementType) })
    let pointers = unsafe references.map { $0.baseAddress }
    unsafe swzip_predict(&kernel, pointers, count, target.baseAddress!)
  }

  // MARK: as bytes

  package func write(_ writer: inout ByteWriter) {
    switch self {
    case .same: writer.integer(UInt8(0))
    case .scaled(let factor):
      writer.integer(UInt8(1))
      writer.integer(factor.bitPattern)
    case .secondMoment(let decay):
      writer.integer(UInt8(2))
      decay.write(&writer)
    case .weight(let decay, let change):
      writer.integer(UInt8(3))
      decay.write(&writer)
      for constant in [change.decay, change.step, change.epsilon] { writer.integer(constant.bitPattern) }
    }
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> Prediction {
    switch try reader.integer(UInt8.self) {
    case 0: return .same
    case 1: return .scaled(by: Double(bitPattern: try reader.integer(UInt64.self)))
    case 2: return .secondMoment(try MomentDecay.read(&reader))
    case 3:
      let decay = try MomentDecay.read(&reader)
      var constants: [Float] = []
      for _ in 0..<3 { constants.append(Float(bitPattern: try reader.integer(UInt32.self))) }
      return .weight(decay, WeightStep(decay: constants[0], step: constants[1], epsilon: constants[2]))
    default: throw reader.failure(.reservedBits, .unsupported)
    }
  }
}

extension Prediction.MomentDecay {
  fileprivate func write(_ writer: inout ByteWriter) {
    for beta in [beta1, beta2] { writer.integer(beta.bitPattern) }
  }

  fileprivate static func read(_ reader: inout ByteReader) throws(SwzipError) -> Self {
    let beta1 = Double(bitPattern: try reader.integer(UInt64.self))
    return Self(beta1: beta1, beta2: Double(bitPattern: try reader.integer(UInt64.self)))
  }
}
