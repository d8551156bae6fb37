import type { Block } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture } from '../model/create-mixture.ts'
import type { Model } from '../model/model.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { applyTransform, estimateTransform } from '../model/transform.ts'

/** Labelled events: those of class c are its rows. */
export interface LabelledEvents {
  readonly block: Block
  /** shape (rows) */
  readonly weights: Float64Array
  /** shape (rows): the class of each, 0 … C−1 */
  readonly labels: Int32Array
  /** C */
  readonly classes: number
}

/** Arrays that all components have in common. */
const shared = /^((.*\.)?(covariances|precisionsCholesky|reference)|transform.*)$/

/** Missing values are filled in by what was estimated before, until that no longer changes. */
const mostRounds = 500
const settled = 1e-10

/**
 * One model a class, of one component each, all with the same covariance: linear discriminant analysis (Fisher 1936; Hastie, Tibshirani &
 * Friedman 2009, §4.3), which needs far fewer events of a rare class than a covariance of its own. The covariance is the weighted
 * mean of the classes' own, each about its class mean (divisor n).
 * @param specification of one class: `components` 1; its covariance is taken for `tied`
 */
export function sharedCovariance(
  specification: ModelSpecification,
  { block, weights, labels, classes }: LabelledEvents,
  kernel?: Kernel,
): readonly Model[] {
  const together: ModelSpecification = { ...specification, components: classes, covariance: 'tied' }
  const transform = estimateTransform(together, block, weights)
  const transformed = applyTransform(together, transform, block).block
  const mixture = createMixture(together, kernel)
  const responsibilities = new Float64Array(block.rows * classes)
  for (let n = 0; n < block.rows; n++) responsibilities[n * classes + labels[n]!] = weights[n]!
  let parameters = mixture.initial(transformed, weights)
  let iterations = 0
  let converged = false
  while (!converged && iterations < mostRounds) {
    const statistics = empty(mixture)
    mixture.inner.observe(statistics, transformed, responsibilities, parameters)
    const next = mixture.maximise(statistics, specification.prior, parameters)
    converged = furthest(next, parameters) <= settled
    parameters = next
    iterations++
  }
  const own: ModelSpecification = { ...together, components: 1 }
  return Array.from({ length: classes }, (_, c) => ({
    specification: own,
    parameters: { ...ofClass(parameters, c, classes), ...transform, weights: Float64Array.of(1) },
    lowerBound: Number.NaN,
    converged,
    iterations,
  }))
}

function ofClass(parameters: Parameters, c: number, classes: number): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, array]) => {
      const size = array.length / classes
      return [name, shared.test(name) ? array : array.slice(c * size, (c + 1) * size)]
    }),
  )
}

/** The largest change of a parameter, against its size. */
function furthest(a: Parameters, b: Parameters): number {
  let most = 0
  for (const [name, array] of Object.entries(a))
    array.forEach((value, i) => {
      most = Math.max(most, Math.abs(value - b[name]![i]!) / (1 + Math.abs(value)))
    })
  return most
}
