import type { Learned } from '../em/estimators/estimator.ts'
import type { Mixture } from '../em/mixture.ts'
import { sampleSize } from '../em/sample-size.ts'
import { type Block, rowsOf } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture, freeParameters } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { applyTransform, estimateTransform } from '../model/transform.ts'
import { treated } from '../model/treated.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { weightedMean } from '../numerics/weighted-mean.ts'
import { SEARCH_ROWS, sampleOf, search, settle, startsOf } from './search.ts'

/** The starting model of a stream. */
export interface WarmUp {
  /** with the treatment of each feature: from here on the model's form */
  readonly specification: ModelSpecification
  /** the transform's arrays included */
  readonly parameters: Parameters
  /** the whole buffer; statistics under `parameters`' predecessor: S_0 of stepwise EM */
  readonly learned: Learned
  /** mean log-likelihood of the events kept back while choosing, nats per unit weight, user's units */
  readonly heldOutLogLikelihood: number
  /** its standard error */
  readonly heldOutError: number
}

/** One event in this many is kept back to compare the runs. */
const HELD_OUT_SHARE = 4

/**
 * A model of a buffer of events: the features' treatment and transform are estimated and frozen, then the best run of EM that a search finds on
 * three of four events goes on over the whole buffer; the fourth says what it is worth. This matters far more for the result of a single
 * pass than any step size does.
 * Works with any number of rows ≥ 1, duplicates, constant columns and missing values.
 * @param block shape (rows, d), user's units
 * @throws if there are no rows
 */
export function warmUp(
  declared: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel?: Kernel,
): WarmUp {
  if (block.rows === 0) throw new Error('block.rows: expected at least 1, got 0; there is nothing to start from')
  const specification = treated(declared, block, weights)
  const transform = estimateTransform(specification, block, weights)
  const { block: all, logJacobian } = applyTransform(specification, transform, block)
  const mixture = createMixture(specification, kernel)
  const { iterations } = specification.warmUp
  const split = holdOut(all, weights, logJacobian, specification.components, random)
  const few = split.train.events.rows < ROWS_A_PARAMETER * freeParameters(specification)
  const best = few
    ? careful(specification, mixture, split, random, kernel)
    : thorough(specification, mixture, split, random, kernel)
  const { logLikelihood, weight } = mixture.expectation(best.parameters, split.test, split.testWeights, empty(mixture))
  const heldOut = (logLikelihood + split.testJacobian) / weight
  const final = settle(specification, mixture, all, weights, best.parameters, few ? 1 : iterations)
  return {
    specification,
    parameters: { ...final.parameters, ...transform },
    learned: { statistics: final.statistics, rows: block.rows, ...sampleSize(weights, block.rows) },
    heldOutLogLikelihood: heldOut,
    heldOutError: heldOutError(mixture, best.parameters, split),
  }
}

/** Events a parameter from which on their likelihood tells good starts from spurious ones. */
const ROWS_A_PARAMETER = 4

/** The best run of a search on some of the events, settled on all but those that were kept back. */
function thorough(
  specification: ModelSpecification,
  mixture: Mixture,
  { train }: HeldOut,
  random: Random,
  kernel: Kernel | undefined,
): { readonly parameters: Parameters } {
  const sample = sampleOf(train, SEARCH_ROWS, random)
  const found = search(specification, sample, { random, kernel })
  if (sample.events === train.events) return found
  return settle(specification, mixture, train.events, train.weights, found.parameters, specification.warmUp.iterations)
}

/**
 * The best of several runs on events that are too few for their likelihood to tell structure from noise: those that were kept back choose among
 * the runs, and end each one when it begins to explain them worse.
 */
function careful(
  specification: ModelSpecification,
  mixture: Mixture,
  { train, test, testWeights }: HeldOut,
  random: Random,
  kernel: Kernel | undefined,
): { readonly parameters: Parameters } {
  const { iterations } = specification.warmUp
  const meanOf = (parameters: Parameters): number => {
    const { logLikelihood, weight } = mixture.expectation(parameters, test, testWeights, empty(mixture))
    return logLikelihood / weight
  }
  let best: { parameters: Parameters; heldOut: number } | undefined
  for (const start of startsOf(specification, train, { random, kernel })) {
    let parameters = start
    let heldOut = meanOf(start)
    for (let i = 0; i < iterations; i++) {
      const statistics = empty(mixture)
      mixture.expectation(parameters, train.events, train.weights, statistics)
      const next = mixture.maximise(statistics, specification.prior, parameters)
      const mean = meanOf(next)
      if (!(mean > heldOut)) break
      parameters = next
      heldOut = mean
    }
    if (best === undefined || heldOut > best.heldOut) best = { parameters, heldOut }
  }
  return best!
}

/** Standard error of the mean log-likelihood of the events kept back, nats. */
function heldOutError(mixture: Mixture, parameters: Parameters, { test, testWeights, testJacobians }: HeldOut): number {
  const densities = new Float64Array(test.rows)
  mixture.score(parameters, test, new Float64Array(test.rows * mixture.inner.components), densities)
  return weightedMean(
    densities.map((density, n) => density + testJacobians[n]!),
    testWeights,
  ).error
}

type HeldOut = ReturnType<typeof holdOut>

function holdOut(
  block: Block,
  weights: Float64Array | undefined,
  logJacobian: Float64Array,
  components: number,
  random: Random,
) {
  const { rows } = block
  const order = permutation(rows, random)
  const held = Math.floor(rows / HELD_OUT_SHARE)
  const shuffled = takeRows(block, order)
  const shuffledWeights = weights === undefined ? undefined : Float64Array.from(order, n => weights[n]!)
  // Too few events to keep any back: the runs are compared on what they learned from.
  const small = rows < 4 * components
  const test = small ? shuffled : rowsOf(shuffled, 0, held)
  const testWeights = small ? shuffledWeights : shuffledWeights?.subarray(0, held)
  const testJacobians = Float64Array.from({ length: test.rows }, (_, n) => logJacobian[order[n]!]!)
  const testJacobian = testJacobians.reduce((sum, jacobian, n) => sum + jacobian * (testWeights?.[n] ?? 1), 0)
  return {
    train: {
      events: small ? shuffled : rowsOf(shuffled, held, rows),
      weights: small ? shuffledWeights : shuffledWeights?.subarray(held),
    },
    test,
    testWeights,
    testJacobian,
    testJacobians,
  }
}
