import type { Learned } from '../em/estimators/estimator.ts'
import type { Mixture } from '../em/mixture.ts'
import { sampleSize } from '../em/sample-size.ts'
import { type Block, rowsOf } from '../families/block.ts'
import { empty, type Parameters, type Statistics, scale } from '../families/family.ts'
import type { Prior } from '../families/prior.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture, freeParameters } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { applyTransform, estimateTransform, type TransformParameters } from '../model/transform.ts'
import { treated } from '../model/treated.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { weightedMean } from '../numerics/weighted-mean.ts'
import { initialParameters } from './initialisation.ts'

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
 * A model of a buffer of events: the features' treatment and transform are estimated and frozen, then the best of `restarts` EM runs from
 * promising starts by the likelihood of events they did not see goes on over the whole buffer. This matters far more for the result of
 * a single pass than any step size does.
 * Works with any number of rows ≥ 1, duplicates, constant columns and missing values.
 * @param block shape (rows, d), user's units
 * @param frozen the transform's arrays, if they are known already
 * @throws if there are no rows
 */
export function warmUp(
  declared: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel?: Kernel,
  frozen?: TransformParameters,
): WarmUp {
  if (block.rows === 0) throw new Error('block.rows: expected at least 1, got 0; there is nothing to start from')
  const specification = treated(declared, block, weights)
  const transform = frozen ?? estimateTransform(specification, block, weights)
  const { block: all, logJacobian } = applyTransform(specification, transform, block)
  const mixture = createMixture(specification, kernel)
  const { prior } = specification
  const { iterations } = specification.warmUp
  const split = holdOut(all, weights, logJacobian, specification.components, random)
  const starts = promisingStarts(specification, mixture, split, random, kernel)
  let best: { parameters: Parameters; heldOut: number } | undefined
  for (const start of starts) {
    const parameters = iterate(mixture, split.train, split.trainWeights, prior, start, iterations).parameters
    const { logLikelihood, weight } = mixture.expectation(parameters, split.test, split.testWeights, empty(mixture))
    const heldOut = (logLikelihood + split.testJacobian) / weight
    if (best === undefined || heldOut > best.heldOut) best = { parameters, heldOut }
  }
  const final = iterate(mixture, all, weights, prior, best!.parameters, iterations)
  return {
    specification,
    parameters: { ...final.parameters, ...transform },
    learned: { statistics: final.statistics, rows: block.rows, ...sampleSize(weights, block.rows) },
    heldOutLogLikelihood: best!.heldOut,
    heldOutError: heldOutError(mixture, best!.parameters, split),
  }
}

/** Starts that are tried for each run. */
const TRIED = 6

/** EM iterations of a trial; events that it takes at most; events a parameter from which on their likelihood tells good starts from spurious ones. */
const TRIAL = { iterations: 10, rows: 4096, rowsPerParameter: 4 }

/**
 * As many starts as there are to be runs: where there are events enough, those with the highest likelihood after a few iterations, of
 * several times as many (Biernacki, Celeux & Govaert 2003, em-EM).
 */
function promisingStarts(
  specification: ModelSpecification,
  mixture: Mixture,
  { train, trainWeights }: HeldOut,
  random: Random,
  kernel: Kernel | undefined,
): Parameters[] {
  const { prior, warmUp } = specification
  const { restarts } = warmUp
  const start = (block: Block, weights: Float64Array | undefined) =>
    initialParameters(specification, block, weights, random, kernel)
  if (train.rows < TRIAL.rowsPerParameter * freeParameters(specification))
    return Array.from({ length: restarts }, () => start(train, trainWeights))
  const block = rowsOf(train, 0, Math.min(train.rows, TRIAL.rows))
  const weights = trainWeights?.subarray(0, block.rows)
  return Array.from({ length: TRIED * restarts }, () =>
    iterate(mixture, block, weights, prior, start(block, weights), TRIAL.iterations),
  )
    .sort((a, b) => b.logLikelihood - a.logLikelihood)
    .slice(0, restarts)
    .map(({ parameters }) => parameters)
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

/** Mean log-likelihood that an iteration must gain for the next one to be worth its time, nats. */
const WORTHWHILE = 1e-5

/** What a number of iterations of EM came to. */
interface Iterated {
  /** the last M-step's */
  readonly parameters: Parameters
  /** that it was made from, mean per unit weight */
  readonly statistics: Statistics
  /** under the parameters, mean per unit weight, nats, model space */
  readonly logLikelihood: number
}

/** At most `iterations` of EM. */
function iterate(
  mixture: Mixture,
  block: Block,
  weights: Float64Array | undefined,
  prior: Prior,
  start: Parameters,
  iterations: number,
): Iterated {
  let parameters = start
  let last = -Infinity
  for (let i = 0; ; i++) {
    const statistics = empty(mixture)
    const { logLikelihood, weight } = mixture.expectation(parameters, block, weights, statistics)
    const gain = logLikelihood / weight - last
    last = logLikelihood / weight
    if (i >= iterations || !(gain > WORTHWHILE))
      return { parameters, statistics: weight > 0 ? scale(statistics, 1 / weight) : statistics, logLikelihood: last }
    parameters = mixture.maximise(statistics, prior, parameters)
  }
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
    train: small ? shuffled : rowsOf(shuffled, held, rows),
    trainWeights: small ? shuffledWeights : shuffledWeights?.subarray(held),
    test,
    testWeights,
    testJacobian,
    testJacobians,
  }
}
