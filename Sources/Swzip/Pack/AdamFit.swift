internal import SwzipCore

/// Finds the constants of one step of Adam from samples of weights and moments (spec/codecs/delta.md, P 3).
enum AdamFit {
  private static let epsilons = [1e-8, 0, 1e-15, 1e-12, 1e-10, 1e-7, 1e-6, 1e-5, 1e-4]
  private static let rounds = 6
  private static let leastValues = 32
  /// So many tell which epsilon is likely.
  private static let fewRows = 512

  /// Weights and moments in the same places of a sample.
  struct Sample {
    let first, firstBefore, secondBefore, weights, weightsBefore: [Float]

    /// The weights that constants do not give to the last bit.
    func misses(_ decay: Prediction.MomentDecay, _ step: Prediction.WeightStep) -> Int {
      let predicted = Prediction.weight(decay, step).predict([first, firstBefore, secondBefore, weightsBefore])
      return zip(predicted, weights).count { distance($0, $1) > 0 }
    }
  }

  /// The constants, if by them most weights of the sample come out to the last bit.
  ///
  /// Weights are w = decay w' - step m / (sqrt(v) + epsilon): for an epsilon decay and step are linear, found by least
  /// squares of relative errors, in rounds that leave out what fits worst; another unknown then is the change of epsilon.
  static func step(_ decay: Prediction.MomentDecay, _ sample: Sample) -> Prediction.WeightStep? {
    let second = Prediction.secondMoment(decay).predict([sample.first, sample.firstBefore, sample.secondBefore])
    let rows = sample.weights.indices.compactMap { index -> Row? in
      let row = Row(
        weight: Double(sample.weights[index]), before: Double(sample.weightsBefore[index]),
        moment: Double(sample.first[index]), root: Double(second[index]).squareRoot())
      return row.isUsable ? row : nil
    }
    guard rows.count >= leastValues else { return nil }
    var best: (misses: Int, step: Prediction.WeightStep)?
    func consider(_ solution: Solution) {
      let nearest = Float(solution.decay)
      // The decay is one of the nearest numbers of 32 bits: a step of it moves half the weights.
      for near in [nearest, nearest.nextUp, nearest.nextDown] {
        let step = Prediction.WeightStep(decay: near, step: Float(solution.step), epsilon: Float(solution.epsilon))
        let misses = sample.misses(decay, step)
        if misses < best?.misses ?? .max { best = (misses, step) }
      }
    }
    let few = stride(from: 0, to: rows.count, by: max(1, rows.count / fewRows)).map { rows[$0] }
    let likely = epsilons.compactMap { solve(few, epsilon: $0) }.sorted { $0.error < $1.error }.prefix(2)
    for start in likely {
      var solution = solve(rows, epsilon: start.epsilon)
      for _ in 0..<rounds {
        guard let found = solution else { break }
        consider(found)
        // All but exact: epsilon has a correction of bias in it.
        if let best, best.misses * 16 < sample.weights.count { return best.step }
        solution = refine(rows, found)
      }
    }
    guard let best, best.misses * 2 < sample.weights.count else { return nil }
    return best.step
  }

  /// Numbers of type F32 that lie from one to the other.
  static func distance(_ a: Float, _ b: Float) -> Int64 {
    func place(_ value: Float) -> Int64 {
      let magnitude = Int64(value.bitPattern & 0x7FFF_FFFF)
      return value.sign == .minus ? -magnitude : magnitude
    }
    return abs(place(a) - place(b))
  }

  // MARK: least squares

  private struct Row {
    let weight, before, moment, root: Double

    var isUsable: Bool {
      weight != 0 && before != 0 && [weight, before, moment, root].allSatisfy(\.isFinite) && root > 0
    }

    /// Relative to the weight: the terms of decay, of step, of the change of epsilon.
    func terms(epsilon: Double, step: Double) -> (Double, Double, Double) {
      let by = root + epsilon
      return (before / weight, -moment / by / weight, step * moment / (by * by) / weight)
    }
  }

  private struct Solution {
    var decay = 1.0
    var step = 0.0
    let epsilon: Double
    /// The median of relative errors.
    var error = Double.infinity
  }

  private static func solve(_ rows: [Row], epsilon: Double) -> Solution? {
    var solution = Solution(epsilon: epsilon)
    var kept = rows.map { $0.terms(epsilon: epsilon, step: 0) }
    for _ in 0..<rounds {
      guard let found = leastSquares(kept.map { ($0.0, $0.1) }, kept.map { _ in 1 }) else { return nil }
      (solution.decay, solution.step) = found
      let errors = kept.map { abs(1 - found.0 * $0.0 - found.1 * $0.1) }
      solution.error = median(errors)
      kept = zip(kept, errors).filter { $0.1 <= 4 * solution.error }.map(\.0)
    }
    return solution
  }

  /// The middle one of some numbers (Hoare's FIND): sorting all of them took most of the time of a plan.
  private static func median(_ numbers: [Double]) -> Double {
    var numbers = numbers
    let middle = numbers.count / 2
    var (low, high) = (0, numbers.count - 1)
    while low < high {
      let pivot = numbers[(low + high) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while numbers[left] < pivot { left += 1 }
        while numbers[right] > pivot { right -= 1 }
        guard left <= right else { break }
        numbers.swapAt(left, right)
        left += 1
        right -= 1
      }
      if middle <= right { high = right } else if middle >= left { low = left } else { break }
    }
    return numbers[middle]
  }

  /// Another epsilon near that of a solution.
  private static func refine(_ rows: [Row], _ solution: Solution) -> Solution? {
    let terms = rows.map { $0.terms(epsilon: solution.epsilon, step: solution.step) }
    let rests = terms.map { 1 - solution.decay * $0.0 - solution.step * $0.1 }
    let limit = 64 * max(solution.error, 0x1p-24)
    let near = zip(terms, rests).filter { abs($0.1) <= limit }
    // What is left, by the step and by epsilon.
    guard let found = leastSquares(near.map { ($0.0.1, $0.0.2) }, near.map(\.1)) else { return nil }
    let epsilon = solution.epsilon + found.1
    return epsilon >= 0 && epsilon.isFinite ? solve(rows, epsilon: epsilon) : nil
  }

  /// The factors of two terms whose sums come nearest to `targets`.
  private static func leastSquares(_ terms: [(Double, Double)], _ targets: [Double]) -> (Double, Double)? {
    var (aa, ab, bb, at, bt) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for ((a, b), target) in zip(terms, targets) {
      aa += a * a
      ab += a * b
      bb += b * b
      at += a * target
      bt += b * target
    }
    let determinant = aa * bb - ab * ab
    guard determinant > 1e-9 * aa * bb else { return nil }
    return ((at * bb - bt * ab) / determinant, (bt * aa - at * ab) / determinant)
  }
}
