import SwzipCore
import SwzipSamples
import Testing

/// Encodes segments block by block and decodes them again in every way; one a test.
final class BlockTester {
  private let encodeScratch: EncodeScratch
  private let decodeScratch: DecodeScratch
  private let decoder = SegmentDecoder()
  /// How often each mode was met.
  private(set) var modes: [UInt8: Int] = [:]
  private(set) var flags: UInt8 = 0

  init() throws {
    encodeScratch = try EncodeScratch()
    decodeScratch = try DecodeScratch()
  }

  struct Encoded {
    /// The segment frame.
    var header: [UInt8]
    var frames: [[UInt8]]
    var entries: [BlockTableEntry]
    /// What the values are coded as differences to, or predicted from.
    var references: [[UInt8]] = []

    func readHeader(_ registry: CodecRegistry = .standard) throws(SwzipError) -> SegmentHeader {
      var reader = unsafe ByteReader(header.span.bytes, at: 0)
      _ = try reader.array(Frame.headerBytes)
      return try SegmentHeader.read(&reader, registry)
    }

    var byteCount: Int { header.count + frames.reduce(0) { $0 + $1.count } }
  }

  /// `references`: to code differences to what is predicted from them, or with `castFrom` the values that one of that type
  /// determines, or with `replayFrom` the quants that were made of values of that type; none for values alone.
  func encode(
    _ values: [UInt8], _ type: ElementType, level: Int, rowLength: Int = 0, references: [[UInt8]] = [],
    prediction: Prediction = .same, castFrom castType: ElementType? = nil, replayFrom replayType: ElementType? = nil,
    usesNodes: Bool = true
  ) throws -> Encoded {
    let base =
      references.isEmpty || castType != nil || replayType != nil
      ? references.first ?? [] : Self.predicted(type, prediction, references, byteCount: values.count)
    return try unsafe values.withUnsafeBytes { values in
      var range = SegmentRange(offset: 0, byteCount: values.count, elementType: type, rowLength: rowLength)
      if let castType {
        range.derivation = .cast(.earlier(member: 0, offset: 0), from: castType)
      } else if let replayType {
        range.derivation = .replay(.earlier(member: 0, offset: 0), from: replayType)
      } else if !references.isEmpty {
        range.derivation = .delta(
          prediction, references.indices.map { .base(number: 0, offset: UInt64(1000 * $0)) })
      }
      let plan = try unsafe base.withUnsafeBytes {
        try unsafe SegmentPlan(
          range, values, base: base.isEmpty || castType != nil ? nil : $0,
          effort: Effort(level: level, usesNodes: usesNodes), scratch: encodeScratch)
      }
      var encoded = Encoded(header: plan.header.frame(number: 0).bytes, frames: [], entries: [], references: references)
      for block in 0..<plan.blockCount {
        let place = plan.bytes(ofBlock: block)
        let source = unsafe UnsafeRawBufferPointer(rebasing: values[place])
        let wide = castType?.width ?? range.derivation.baseWidth(type)
        let part = (place.lowerBound / type.width * wide)..<(place.upperBound / type.width * wide)
        let frame = try GuardedBuffer(plan.frameBound + Limits.slack)
        let entry = unsafe base.withUnsafeBytes {
          unsafe plan.encode(
            block, source,
            reference: base.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: $0[part]),
            into: frame.bytes, scratch: encodeScratch)
        }
        #expect(frame.guardsAreWhole, "\(type), level \(level), \(values.count) bytes: the frame's bound")
        #expect(entry.frameByteCount <= (source.count + 15) & ~15 + Limits.blockOverhead)
        unsafe encoded.frames.append([UInt8](UnsafeRawBufferPointer(rebasing: frame.bytes[..<entry.frameByteCount])))
        encoded.entries.append(entry)
        modes[encoded.frames[block][24], default: 0] += 1
        if [BlockMode.huffman, .nodes].contains(BlockMode(rawValue: encoded.frames[block][24])) {
          flags |= encoded.frames[block][25]
        }
      }
      return encoded
    }
  }

  /// Decodes all blocks as a reader of the container would: from the bytes of the segment frame on.
  func decode(
    _ encoded: Encoded, policy: CheckPolicy = .strict, misalignment: Int = 0, streaming: Bool = false
  ) throws -> [UInt8] {
    let header = try encoded.readHeader()
    decoder.begin(header)
    guard header.blockCount == UInt64(encoded.frames.count) else { throw SwzipError(.corrupt, .blockHeader) }
    var values: [UInt8] = []
    for (block, frame) in encoded.frames.enumerated() {
      // The slack behind a frame may hold anything.
      let memory = try GuardedBuffer(frame.count + Limits.slack, misalignment: 16 - misalignment & 15)
      unsafe memory.bytes.copyBytes(from: frame)
      let out = try GuardedBuffer(header.valueCount(ofBlock: UInt64(block)) * header.width, misalignment: misalignment)
      try unsafe decoder.decode(
        UnsafeRawBufferPointer(rebasing: memory.bytes[..<frame.count]), block: UInt64(block), into: out.bytes,
        policy: policy, entry: policy == .loader ? encoded.entries[block] : nil, streaming: streaming,
        scratch: decodeScratch, position: 0
      ) { number, offset, target throws(SwzipError) in
        let reference = encoded.references[number]
        guard offset <= UInt64(reference.count), target.count <= reference.count - Int(offset) else {
          throw SwzipError(.base, .baseDiffers)
        }
        unsafe target.copyBytes(from: reference[Int(offset)...].prefix(target.count))
        return nil
      }
      guard out.guardsAreWhole else { throw SwzipError(.io, .encoderFault, detail: "wrote outside") }
      unsafe values.append(contentsOf: out.bytes)
    }
    return values
  }

  static func predicted(
    _ type: ElementType, _ prediction: Prediction, _ references: [[UInt8]], byteCount: Int
  ) -> [UInt8] {
    var predicted = [UInt8](repeating: 0, count: byteCount)
    let starts = references.indices.map { references[..<$0].reduce(0) { $0 + $1.count } }
    unsafe predicted.withUnsafeMutableBytes { target in
      unsafe Array(references.joined()).withUnsafeBytes { all in
        let parts = unsafe zip(starts, references).map {
          unsafe UnsafeRawBufferPointer(rebasing: all[$0..<($0 + $1.count)])
        }
        unsafe prediction.predict(type, from: parts, into: target)
      }
    }
    return predicted
  }

  /// There and back; what came back must be what went in.
  func roundTrip(
    _ values: [UInt8], _ type: ElementType, level: Int, rowLength: Int = 0, references: [[UInt8]] = [],
    prediction: Prediction = .same, replayFrom: ElementType? = nil, _ what: @autoclosure () -> String
  ) {
    do {
      let encoded = try encode(
        values, type, level: level, rowLength: rowLength, references: references, prediction: prediction,
        replayFrom: replayFrom)
      let misalignment = values.count % 17
      let strict = try decode(encoded, misalignment: misalignment)
      let loader = try decode(encoded, policy: .loader, misalignment: (misalignment + 1) & 15, streaming: true)
      if !same(strict, values) || !same(loader, values) { Issue.record("other bytes: \(what())") }
    } catch {
      Issue.record("\(error): \(what())")
    }
  }
}
