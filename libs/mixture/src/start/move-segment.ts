import type { Mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { choose, type Random } from '../numerics/random.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'
import { principalAxis, splitOne } from './split.ts'

export interface Moved {
  readonly specification: ModelSpecification
  readonly mixture: Mixture
  /** shape (rows, d), model space */
  readonly events: Block
  /** the events as points of a Euclidean space, see `clusteringPoints` */
  readonly points: Block
  readonly weights: Float64Array | undefined
  readonly random: Random
  readonly kernel?: Kernel | undefined
}

/**
 * Merges two components that share events, and splits another one, as split-and-merge EM does (Ueda et al. 2000): EM on its own never takes a
 * component from where there are too many to where one is missing. Or, where that is drawn, one component is dissolved among all
 * others. A split is across the largest variance, or any direction.
 * @param parameters of K ≥ 2 components
 */
export function moveSegment(of: Moved, parameters: Parameters): Parameters {
  const { specification, mixture, events, points, weights, random, kernel } = of
  const K = specification.components
  const { rows } = events
  const posterior = new Float64Array(rows * K)
  mixture.score(parameters, events, posterior, new Float64Array(rows))
  const gone = Math.floor(random() * K)
  const into = random() < 0.5 ? partner(posterior, gone, K, random) : undefined
  const left = dissolved(posterior, gone, into, weights, K)
  const target = Math.floor(random() * (K - 1))
  const axis = principalAxis(points, left, K - 1, target)
  const across = random() < 0.5 ? axis : { ...axis, direction: axis.direction.map(() => random() - 0.5) }
  return parametersFromResponsibilities(
    specification,
    events,
    weights,
    splitOne(points, left, K - 1, target, across),
    kernel,
  )
}

/** A component that shares events with one that goes. */
function partner(posterior: Float64Array, gone: number, K: number, random: Random): number {
  const shared = new Float64Array(K)
  for (let n = 0; n < posterior.length; n += K)
    for (let k = 0; k < K; k++) if (k !== gone) shared[k]! += posterior[n + k]! * posterior[n + gone]!
  return choose(shared, random)
}

/** Responsibilities of the others (rows, K − 1), times the events' weights: `into` takes those of `gone`, or all others in proportion. */
function dissolved(
  posterior: Float64Array,
  gone: number,
  into: number | undefined,
  weights: Float64Array | undefined,
  K: number,
): Float64Array {
  const rows = posterior.length / K
  const left = new Float64Array(rows * (K - 1))
  for (let n = 0; n < rows; n++) {
    const freed = posterior[n * K + gone]!
    const kept = 1 - freed
    const w = weights?.[n] ?? 1
    for (let k = 0, to = n * (K - 1); k < K; k++) {
      if (k === gone) continue
      const own = posterior[n * K + k]!
      const more = into === undefined ? (kept > 1e-6 ? (own * freed) / kept : freed / (K - 1)) : k === into ? freed : 0
      left[to++] = w * (own + more)
    }
  }
  return left
}
