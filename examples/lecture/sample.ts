import { type Block, type Random, standardNormal } from '@eddy/mixture'

/** One gaussian component to draw from. */
export interface Component {
  readonly weight: number
  readonly mean: readonly number[]
  /** lower-triangular L with covariance L Lᵀ, one row a feature */
  readonly factor: readonly (readonly number[])[]
}

/** Events of a gaussian mixture, and which component each came from. */
export function sample(
  components: readonly Component[],
  rows: number,
  random: Random,
): { events: Block; truth: Int32Array } {
  const d = components[0]!.mean.length
  const values = new Float64Array(rows * d)
  const truth = new Int32Array(rows)
  for (let n = 0; n < rows; n++) {
    let u = random()
    let k = 0
    while (k < components.length - 1 && u >= components[k]!.weight) u -= components[k++]!.weight
    truth[n] = k
    const { mean, factor } = components[k]!
    const z = mean.map(() => standardNormal(random))
    for (let i = 0; i < d; i++) {
      values[n * d + i] = factor[i]!.reduce((sum, l, j) => sum + l * z[j]!, mean[i]!)
    }
  }
  return { events: { rows, columns: d, values }, truth }
}

/** A column of a block. */
export function column(events: Block, j: number): Float64Array {
  return Float64Array.from({ length: events.rows }, (_, n) => events.values[n * events.columns + j]!)
}

/** Adjusted Rand index of two labellings: 1 for the same, 0 for chance (Hubert & Arabie 1985). */
export function adjustedRand(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = (n: number) => (n * (n - 1)) / 2
  const count = (keys: string[]) => {
    const counts = new Map<string, number>()
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
    return [...counts.values()].reduce((sum, n) => sum + pairs(n), 0)
  }
  const both = Array.from({ length: a.length }, (_, i) => `${a[i]},${b[i]}`)
  const joint = count(both)
  const [rows, columns] = [count(both.map(key => key.split(',')[0]!)), count(both.map(key => key.split(',')[1]!))]
  const expected = (rows * columns) / pairs(a.length)
  return (joint - expected) / ((rows + columns) / 2 - expected)
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

/** Mean square deviation. */
export function variance(values: ArrayLike<number>): number {
  const centre = mean(values)
  return mean(Array.from(values, value => (value - centre) ** 2))
}

/** Density of the normal distribution. */
export function normalDensity(x: number, centre: number, sd: number): number {
  return Math.exp(-(((x - centre) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI))
}

/** Distribution function of the standard normal: erfc by its continued fraction and series, to 1e-12. */
export function normalCdf(x: number): number {
  if (x < 0) return 1 - normalCdf(-x)
  if (x > 6) {
    let fraction = x
    for (let i = 60; i > 0; i--) fraction = x + i / fraction
    return 1 - normalDensity(x, 0, 1) / fraction
  }
  let term = x
  let sum = x
  for (let i = 3; Math.abs(term) > 1e-17 * sum; i += 2) {
    term *= (x * x) / i
    sum += term
  }
  return 0.5 + sum * normalDensity(x, 0, 1)
}

/** Evenly spaced values, both ends included. */
export function grid(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))
}

/** Histogram as a density: heights × widths sum to 1. */
export function histogram(values: ArrayLike<number>, from: number, to: number, bins: number) {
  const edges = grid(from, to, bins + 1)
  const heights = new Array<number>(bins).fill(0)
  const width = (to - from) / bins
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i]! - from) / width)
    if (bin >= 0 && bin < bins) heights[bin]! += 1 / (values.length * width)
  }
  return { edges, heights }
}
