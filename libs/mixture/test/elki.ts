import { type Block, type Random, random, standardNormal } from '@eddy/mixture'

/** The three-component mixture of Nguyen, Forbes & McLachlan (2020), from the ELKI data sets. */
const ELKI = {
  weights: [0.5, 0.3, 0.2],
  means: [
    [0.3, 0.3],
    [0.85, 0.35],
    [0.45, 0.85],
  ],
  deviations: [
    [0.09, 0.09],
    [0.05, 0.1],
    [0.035, 0.035],
  ],
} as const

/** `rows` events of the mixture with their true components. */
export function sampleElki(rows: number, seed: number): { block: Block; labels: Int32Array; random: Random } {
  const uniform = random(seed)
  const values = new Float64Array(rows * 2)
  const labels = new Int32Array(rows)
  for (let n = 0; n < rows; n++) {
    const u = uniform()
    const k = u < 0.5 ? 0 : u < 0.8 ? 1 : 2
    labels[n] = k
    for (let j = 0; j < 2; j++)
      values[n * 2 + j] = ELKI.means[k]![j]! + ELKI.deviations[k]![j]! * standardNormal(uniform)
  }
  return { block: { rows, columns: 2, values }, labels, random: uniform }
}

/** Labels by the Bayes rule of the true mixture: no method does better on average. */
export function bayesLabels(block: Block): Int32Array {
  return Int32Array.from({ length: block.rows }, (_, n) => {
    const scores = ELKI.weights.map((weight, k) => {
      let value = Math.log(weight)
      for (let j = 0; j < 2; j++) {
        const sd = ELKI.deviations[k]![j]!
        value -= Math.log(sd) + 0.5 * ((block.values[n * 2 + j]! - ELKI.means[k]![j]!) / sd) ** 2
      }
      return value
    })
    return scores.indexOf(Math.max(...scores))
  })
}
