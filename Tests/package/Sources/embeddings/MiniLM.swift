import Foundation

/// all-MiniLM-L6-v2: BERT with 6 layers, 384 numbers for each token, 12 heads.
struct MiniLM {
  private let weights: any Weights
  private let positions: Matrix
  private let firstSentence: Vector
  private let norm: Norm
  private let layers: [Layer]

  init(_ weights: any Weights) throws {
    self.weights = weights
    positions = try weights.matrix("embeddings.position_embeddings.weight")
    firstSentence = try weights.matrix("embeddings.token_type_embeddings.weight")[0]
    norm = try Norm(weights, "embeddings.LayerNorm")
    layers = try (0..<6).map { try Layer(weights, "encoder.layer.\($0)") }
  }

  /// The mean of what the last layer makes of the tokens, of length 1.
  func embedding(of tokens: [Int]) throws -> [Float] {
    // Of the 30,522 words only those that occur are read.
    let words = try tokens.map { try weights.matrix("embeddings.word_embeddings.weight", rows: $0..<($0 + 1))[0] }
    let embedded = zip(words, positions).map { norm($0 + firstSentence + $1) }
    let states = layers.reduce(embedded) { $1($0) }
    let sum = states.dropFirst().reduce(states[0], +)
    let length = dot(sum, sum, sum.indices).squareRoot()
    return sum.flatMap { eight in eight.indices.map { eight[$0] / length } }
  }
}

/// Each token looks at all others, then each is transformed alone.
private struct Layer {
  private let query, key, value, attended, wide, narrow: Linear
  private let attendedNorm, norm: Norm

  init(_ weights: any Weights, _ name: String) throws {
    query = try Linear(weights, name + ".attention.self.query")
    key = try Linear(weights, name + ".attention.self.key")
    value = try Linear(weights, name + ".attention.self.value")
    attended = try Linear(weights, name + ".attention.output.dense")
    attendedNorm = try Norm(weights, name + ".attention.output.LayerNorm")
    wide = try Linear(weights, name + ".intermediate.dense")
    narrow = try Linear(weights, name + ".output.dense")
    norm = try Norm(weights, name + ".output.LayerNorm")
  }

  func callAsFunction(_ tokens: Matrix) -> Matrix {
    let seen = zip(tokens, attended(attention(tokens))).map { attendedNorm($0 + $1) }
    return zip(seen, narrow(wide(seen).map { $0.map(gelu) })).map { norm($0 + $1) }
  }

  private func attention(_ tokens: Matrix) -> Matrix {
    let (queries, keys, values) = (query(tokens), key(tokens), value(tokens))
    var result = Matrix(repeating: Vector(repeating: .zero, count: 48), count: tokens.count)
    for head in 0..<12 {
      let part = (4 * head)..<(4 * head + 4)  // 32 numbers
      for token in tokens.indices {
        let scores = keys.map { dot(queries[token], $0, part) / Float(32).squareRoot() }
        for (share, value) in zip(softmax(scores), values) {
          for place in part { result[token][place] += share * value[place] }
        }
      }
    }
    return result
  }
}

/// A row of weights for each number that comes out.
private struct Linear {
  private let weight: Matrix
  private let bias: Vector

  init(_ weights: any Weights, _ name: String) throws {
    weight = try weights.matrix(name + ".weight")
    bias = try weights.vector(name + ".bias")
  }

  func callAsFunction(_ tokens: Matrix) -> Matrix {
    var result = Matrix(repeating: bias, count: tokens.count)
    for (number, row) in weight.enumerated() {
      for token in tokens.indices { result[token][number / 8][number % 8] += dot(row, tokens[token], row.indices) }
    }
    return result
  }
}

/// Mean 0 and variance 1, then scaled and shifted.
private struct Norm {
  private let scale, shift: Vector

  init(_ weights: any Weights, _ name: String) throws {
    scale = try weights.vector(name + ".weight")
    shift = try weights.vector(name + ".bias")
  }

  func callAsFunction(_ vector: Vector) -> Vector {
    let count = Float(8 * vector.count)
    let mean = vector.reduce(.zero, +).sum() / count
    let centred = vector.map { $0 - mean }
    let variance = dot(centred, centred, centred.indices) / count
    let deviation = (variance + 1e-12).squareRoot()
    return centred.indices.map { centred[$0] / deviation * scale[$0] + shift[$0] }
  }
}

private func + (left: Vector, right: Vector) -> Vector { zip(left, right).map { $0 + $1 } }

private func dot(_ left: Vector, _ right: Vector, _ part: Range<Int>) -> Float {
  var sum = SIMD8<Float>.zero
  for place in part { sum += left[place] * right[place] }
  return sum.sum()
}

private func softmax(_ scores: [Float]) -> [Float] {
  let most = scores.max()!
  let powers = scores.map { exp($0 - most) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}

private func gelu(_ eight: SIMD8<Float>) -> SIMD8<Float> {
  var result = eight
  for lane in eight.indices { result[lane] *= (1 + erf(eight[lane] / Float(2).squareRoot())) / 2 }
  return result
}
