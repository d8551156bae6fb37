import type { Block } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { choose, type Random } from '../numerics/random.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'

/** EM iterations after each split. */
const ITERATIONS = 4
/** Power iterations for a principal axis: its direction need not be exact. */
const POWER_ITERATIONS = 20

/**
 * Responsibilities (rows, K) by splitting: one component takes all events; the one with the largest scatter along its principal axis is
 * cut at its mean across that axis, EM settles for a few iterations, and so on until there are K. The first split is of the largest
 * scatter, the others are drawn in proportion to it, so that restarts differ.
 * @param points the events as points of a Euclidean space, see `clusteringPoints`
 */
export function splitUntil(
  specification: ModelSpecification,
  block: Block,
  points: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel?: Kernel,
): Float64Array {
  let responsibilities: Float64Array = new Float64Array(block.rows)
  for (let n = 0; n < block.rows; n++) responsibilities[n] = weights?.[n] ?? 1
  for (let components = 1; components < specification.components; components++) {
    const axes = Array.from({ length: components }, (_, k) => principalAxis(points, responsibilities, components, k))
    const chosen = choose(
      Float64Array.from(axes, axis => axis.scatter ** 2),
      random,
    )
    const cut = splitOne(points, responsibilities, components, chosen, axes[chosen]!)
    responsibilities = settle({ ...specification, components: components + 1 }, block, weights, cut, kernel)
  }
  return responsibilities
}

export interface Axis {
  readonly mean: Float64Array
  readonly direction: Float64Array
  /** Σ r ((x − mean) · direction)² */
  readonly scatter: number
}

export function principalAxis(points: Block, responsibilities: Float64Array, components: number, k: number): Axis {
  const { rows, columns: d, values } = points
  const mean = new Float64Array(d)
  const totals = new Float64Array(d)
  for (let n = 0; n < rows; n++)
    for (let j = 0; j < d; j++) {
      const x = values[n * d + j]!
      const r = responsibilities[n * components + k]!
      if (Number.isNaN(x) || r === 0) continue
      totals[j]! += r
      mean[j]! += r * x
    }
  for (let j = 0; j < d; j++) if (totals[j]! > 0) mean[j]! /= totals[j]!
  const centred = (n: number, j: number): number => {
    const x = values[n * d + j]!
    return Number.isNaN(x) ? 0 : x - mean[j]!
  }
  let direction = Float64Array.from({ length: d }, (_, j) => 1 + j / (10 * d))
  let scatter = 0
  for (let i = 0; i < POWER_ITERATIONS; i++) {
    const next = new Float64Array(d)
    for (let n = 0; n < rows; n++) {
      const r = responsibilities[n * components + k]!
      if (r === 0) continue
      let projection = 0
      for (let j = 0; j < d; j++) projection += centred(n, j) * direction[j]!
      for (let j = 0; j < d; j++) next[j]! += r * projection * centred(n, j)
    }
    const norm = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0))
    if (!(norm > 0 && norm < Infinity)) return { mean, direction, scatter: 0 }
    scatter = norm
    direction = next.map(x => x / norm)
  }
  return { mean, direction, scatter }
}

/** Component `chosen` keeps the events on one side of its mean; a new last component gets the others. */
export function splitOne(
  points: Block,
  responsibilities: Float64Array,
  components: number,
  chosen: number,
  axis: Axis,
): Float64Array {
  const { rows, columns: d, values } = points
  const out = new Float64Array(rows * (components + 1))
  for (let n = 0; n < rows; n++) {
    let projection = 0
    for (let j = 0; j < d; j++) {
      const x = values[n * d + j]!
      if (!Number.isNaN(x)) projection += (x - axis.mean[j]!) * axis.direction[j]!
    }
    const row = n * (components + 1)
    for (let k = 0; k < components; k++) out[row + k] = responsibilities[n * components + k]!
    if (projection > 0) {
      out[row + components] = out[row + chosen]!
      out[row + chosen] = 0
    }
  }
  return out
}

/** A few EM iterations from given responsibilities; what comes back are those of the last parameters, times the events' weights. */
function settle(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  responsibilities: Float64Array,
  kernel: Kernel | undefined,
): Float64Array {
  const mixture = createMixture(specification, kernel)
  const { components } = specification
  let parameters: Parameters = parametersFromResponsibilities(specification, block, weights, responsibilities, kernel)
  for (let i = 0; i < ITERATIONS; i++) {
    const statistics = empty(mixture)
    mixture.expectation(parameters, block, weights, statistics)
    parameters = mixture.maximise(statistics, specification.prior, parameters)
  }
  const posterior = new Float64Array(block.rows * components)
  mixture.score(parameters, block, posterior, new Float64Array(block.rows))
  if (weights !== undefined)
    for (let n = 0; n < block.rows; n++)
      for (let k = 0; k < components; k++) posterior[n * components + k]! *= weights[n]!
  return posterior
}
