import { type Block, type Parameters, type Random, random, standardNormal } from '@eddy/mixture'

/** One mixture that is measured. */
export interface Shape {
  readonly name: string
  readonly covariance: 'diag' | 'full'
  /** K */
  readonly components: number
  /** d */
  readonly columns: number
  /** standard deviation of the means in units of a component's: chosen for the overlap stated in docs/benchmarks */
  readonly apart: number
}

export const SHAPES: readonly Shape[] = [
  { name: 'a', covariance: 'diag', components: 3, columns: 4, apart: 1 },
  { name: 'b', covariance: 'diag', components: 8, columns: 16, apart: 1 },
  { name: 'c', covariance: 'full', components: 8, columns: 16, apart: 1.25 },
  { name: 'd', covariance: 'full', components: 16, columns: 32, apart: 1.22 },
  { name: 'e', covariance: 'full', components: 32, columns: 64, apart: 1.5 },
]

/** `gaussian`'s parameters of a random mixture; weights between 1/2 and 3/2 of equal ones. */
export function trueParameters(shape: Shape, seed: number): Parameters {
  const { covariance, components, columns: d, apart } = shape
  const uniform = random(seed)
  const full = covariance === 'full'
  const p = full ? (d * (d + 1)) / 2 : d
  const weights = Float64Array.from({ length: components }, () => 0.5 + uniform())
  const total = weights.reduce((a, b) => a + b, 0)
  for (let k = 0; k < components; k++) weights[k]! /= total
  const means = Float64Array.from({ length: components * d }, () => standardNormal(uniform) * apart)
  const precisionsCholesky = new Float64Array(components * p)
  const logDeterminants = new Float64Array(components)
  for (let k = 0; k < components; k++)
    for (let i = 0, t = k * p; i < d; i++)
      for (let j = full ? 0 : i; j <= i; j++, t++) {
        precisionsCholesky[t] = i === j ? 0.7 + 0.6 * uniform() : (standardNormal(uniform) * 0.6) / Math.sqrt(d)
        if (i === j) logDeterminants[k]! += Math.log(precisionsCholesky[t]!)
      }
  const covariances = full
    ? covariancesOf(precisionsCholesky, components, d)
    : precisionsCholesky.map(value => 1 / value ** 2)
  return { weights, means, covariances, precisionsCholesky, logDeterminants, reference: new Float64Array(d) }
}

/** Events of a mixture, and the component each came from. */
export function sampleEvents(shape: Shape, parameters: Parameters, rows: number, seed: number) {
  const { covariance, components, columns: d } = shape
  const uniform: Random = random(seed)
  const { weights, means, precisionsCholesky } = parameters
  const full = covariance === 'full'
  const p = full ? (d * (d + 1)) / 2 : d
  const values = new Float64Array(rows * d)
  const labels = new Int32Array(rows)
  for (let n = 0; n < rows; n++) {
    let rest = uniform()
    let k = 0
    while (k < components - 1 && rest >= weights![k]!) rest -= weights![k++]!
    labels[n] = k
    // L⁻¹ y = z by forward substitution.
    for (let i = 0, t = k * p; i < d; i++) {
      let value = standardNormal(uniform)
      for (let j = full ? 0 : i; j < i; j++) value -= precisionsCholesky![t++]! * values[n * d + j]!
      values[n * d + i] = value / precisionsCholesky![t++]!
    }
    for (let i = 0; i < d; i++) values[n * d + i]! += means![k * d + i]!
  }
  const block: Block = { rows, columns: d, values }
  return { block, labels }
}

/** Σ = L Lᵀ from packed L⁻¹, component by component, packed. */
function covariancesOf(inverse: Float64Array, components: number, d: number): Float64Array {
  const p = (d * (d + 1)) / 2
  const out = new Float64Array(components * p)
  const lower = new Float64Array(d * d)
  for (let k = 0; k < components; k++) {
    const at = (i: number, j: number) => inverse[k * p + (i * (i + 1)) / 2 + j]!
    for (let j = 0; j < d; j++)
      for (let i = j; i < d; i++) {
        let sum = i === j ? 1 : 0
        for (let m = j; m < i; m++) sum -= at(i, m) * lower[m * d + j]!
        lower[i * d + j] = sum / at(i, i)
      }
    for (let i = 0, t = k * p; i < d; i++)
      for (let j = 0; j <= i; j++, t++) for (let m = 0; m <= j; m++) out[t]! += lower[i * d + m]! * lower[j * d + m]!
  }
  return out
}
