import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import type { Block } from '../families/block.ts'
import type { Covariance } from '../families/gaussian/layout.ts'
import { takeRows } from '../families/take-rows.ts'
import { fitModel } from '../fit-model.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { freeParameters } from '../model/create-mixture.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { treated } from '../model/treated.ts'
import { permutation, random } from '../numerics/random.ts'
import { agreement } from './agreement.ts'
import { type Degeneracy, degeneracies } from './degeneracies.ts'

export const criteria = ['cross-validation', 'prequential', 'bic', 'aic'] as const
export type Criterion = (typeof criteria)[number]

export interface SelectionOptions {
  readonly minComponents: number
  readonly maxComponents: number
  /** forms of covariance that are compared, each with every number; the specification's alone if absent */
  readonly covariances?: readonly Covariance[] | undefined
  readonly criterion: Criterion
  /** of cross-validation, 2 … rows */
  readonly folds: number
  /**
   * shape (rows): to which customer an event belongs, 0, 1, 2 …; events of one are in one fold, and count as one in the error of a
   * difference. Each event is one of its own if absent.
   */
  readonly groups?: Int32Array | undefined
  /** of the folds and of the prequential pass */
  readonly seed: number
  /** fits a candidate to all events, and to those of all folds but one */
  readonly fit: (specification: ModelSpecification, block: Block, weights: Float64Array) => Model
  /** events in a mini-batch of the prequential pass */
  readonly batchSize?: number
  readonly kernel?: Kernel | undefined
  /** told how far the work is, 0 … 1 */
  readonly onProgress?: ((share: number) => void) | undefined
}

/** A gain that no one would notice, nats per event; a balanced pair of segments 2.5 sd apart is worth 0.03. */
const negligible = 0.005

/** What is known of one number of components of one form. Likelihoods are in nats per unit weight, user's units. */
export interface Candidate {
  readonly covariance: Covariance
  readonly components: number
  /** free parameters */
  readonly parameters: number
  /** on the events it was fitted to */
  readonly meanLogLikelihood: number
  readonly bic: number
  readonly aic: number
  /** BIC + 2 Σ entropy of the posteriors (Biernacki, Celeux & Govaert 2000): small only where segments are apart */
  readonly icl: number
  /** its components that describe no group of events */
  readonly degenerate: readonly Degeneracy[]
  /** mean log p of each event under a model fitted without its fold */
  readonly crossValidation: number
  /** how far behind the best candidate cross-validation is … */
  readonly behind: number
  /** … and the standard error of that, from paired differences an event */
  readonly behindError: number
  /**
   * adjusted Rand index of the segments of two models, each of one half of the events, on all events: how far they depend on
   * which events there happened to be; NaN for one component, and where the halves are too small
   */
  readonly stability: number
  /** mean log p of each event before it was learned, in one pass of stepwise EM after a warm-up; NaN for too few events */
  readonly prequential: number
}

export interface Selection {
  readonly criterion: Criterion
  readonly chosen: number
  /** the chosen form */
  readonly covariance: Covariance
  /** the number of components that each criterion would take; null where it could tell nothing */
  readonly choices: Readonly<Record<Criterion, number | null>>
  /** the form that it would take them of */
  readonly covariances: Readonly<Record<Criterion, Covariance | null>>
  readonly candidates: readonly Candidate[]
}

/**
 * Fits every number of components of a range, of one form of covariance or several, and compares them.
 *
 * `cross-validation` takes the one with the fewest free parameters whose held-out likelihood is not worse than the best one's by more than a standard
 * error of the paired difference (after the one-standard-error rule of Breiman et al. 1984), nor by more than `negligible`. `prequential` takes the largest likelihood of events
 * before they were learned (Dawid 1984). `bic` (Schwarz 1978) and `aic` (Akaike 1974) take the least value.
 * @param specification its `components` is not read
 * @param block shape (rows, d), user's units
 * @param weights shape (rows)
 * @throws if the range is empty, or there are fewer events than folds
 */
export function selectComponents(
  declared: ModelSpecification,
  block: Block,
  weights: Float64Array,
  options: SelectionOptions,
): Selection {
  // Once for all numbers and folds: likelihoods of different treatments cannot be compared.
  const specification = treated(declared, block, weights)
  const { minComponents, maxComponents, folds } = options
  if (!(minComponents >= 1 && maxComponents >= minComponents))
    throw new Error(`maxComponents: expected at least minComponents (${minComponents} ≥ 1), got ${maxComponents}`)
  const groups = options.groups ?? Int32Array.from({ length: block.rows }, (_, n) => n)
  const groupCount = groups.reduce((most, group) => Math.max(most, group + 1), 0)
  if (!(folds >= 2 && groupCount >= folds))
    throw new Error(`folds: expected 2 … ${groupCount} (the number of events, or of their groups), got ${folds}`)
  const { covariances = [specification.covariance] } = options
  const compared = covariances.flatMap(covariance =>
    Array.from({ length: maxComponents - minComponents + 1 }, (_, i) => ({
      covariance,
      components: minComponents + i,
    })),
  )
  // The same folds for every candidate, so that their differences are not those of the folds.
  const foldOf = foldsOf(groups, groupCount, folds, options.seed)
  const halfOf = foldsOf(groups, groupCount, 2, options.seed)
  const heldOut: Float64Array[] = []
  const fitted = compared.map((candidate, i) => {
    const own = { ...specification, ...candidate }
    const done = (part: number) => options.onProgress?.((i + part) / compared.length)
    heldOut.push(crossValidated(own, block, weights, foldOf, options, done))
    return {
      ...candidate,
      ...onAll(own, block, weights, options),
      stability: stability(own, block, weights, halfOf, options),
      prequential: prequential(own, block, weights, options),
    }
  })
  const weight = sum(weights)
  const means = heldOut.map(scores => weightedMean(scores, weights, weight))
  const best = means.indexOf(Math.max(...means))
  const candidates = fitted.map((candidate, i): Candidate => {
    const difference = heldOut[best]!.map((score, n) => score - heldOut[i]![n]!)
    return {
      ...candidate,
      crossValidation: means[i]!,
      behind: means[best]! - means[i]!,
      behindError: standardError(difference, weights, weight, groups, groupCount),
    }
  })
  const taken = {
    'cross-validation': candidates
      .filter(({ behind, behindError }) => behind <= Math.max(behindError, negligible))
      .reduce((a, b) => (b.parameters < a.parameters ? b : a)),
    prequential: bestBy(candidates, candidate => candidate.prequential),
    bic: bestBy(candidates, candidate => -candidate.bic),
    aic: bestBy(candidates, candidate => -candidate.aic),
  }
  const chosen = taken[options.criterion]
  if (chosen === null)
    throw new Error(
      `criterion: expected one that can tell, got ${options.criterion}, for which there are too few events`,
    )
  const each = <T>(of: (candidate: Candidate) => T) =>
    Object.fromEntries(criteria.map(name => [name, taken[name] && of(taken[name])])) as Record<Criterion, T | null>
  return {
    criterion: options.criterion,
    chosen: chosen.components,
    covariance: chosen.covariance,
    choices: each(({ components }) => components),
    covariances: each(({ covariance }) => covariance),
    candidates,
  }
}

/** The candidate with the largest score; null where none has one. */
function bestBy(candidates: readonly Candidate[], score: (candidate: Candidate) => number): Candidate | null {
  const known = candidates.filter(candidate => !Number.isNaN(score(candidate)))
  return known.length === 0 ? null : known.reduce((a, b) => (score(b) > score(a) ? b : a))
}

function onAll(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array,
  { fit, kernel }: SelectionOptions,
) {
  const model = fit(specification, block, weights)
  const weight = sum(weights)
  const { posterior, logDensity } = scoreModel(model, block, kernel)
  const meanLogLikelihood = weightedMean(logDensity, weights, weight)
  const parameters = freeParameters(model.specification)
  const bic = parameters * Math.log(weight) - 2 * weight * meanLogLikelihood
  const K = model.specification.components
  const entropy = posterior.reduce(
    (total, p, i) => (p > 0 ? total - weights[Math.floor(i / K)]! * p * Math.log(p) : total),
    0,
  )
  return {
    parameters,
    meanLogLikelihood,
    bic,
    icl: bic + 2 * entropy,
    degenerate: degeneracies(model, weight),
    aic: 2 * parameters - 2 * weight * meanLogLikelihood,
  }
}

/** log p of every event under the model of the other folds, shape (rows). */
function crossValidated(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array,
  foldOf: Int32Array,
  { fit, folds, kernel }: SelectionOptions,
  done: (share: number) => void,
): Float64Array {
  const scores = new Float64Array(block.rows)
  for (let fold = 0; fold < folds; fold++) {
    const train = rowsWhere(foldOf, of => of !== fold)
    const held = rowsWhere(foldOf, of => of === fold)
    const model = fit(
      specification,
      takeRows(block, train),
      Float64Array.from(train, n => weights[n]!),
    )
    const { logDensity } = scoreModel(model, takeRows(block, held), kernel)
    held.forEach((n, i) => {
      scores[n] = logDensity[i]!
    })
    done((fold + 1) / (folds + 1))
  }
  return scores
}

function stability(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array,
  halfOf: Int32Array,
  { fit, kernel }: SelectionOptions,
): number {
  const { components } = specification
  if (components === 1 || block.rows < 4 * components) return Number.NaN
  const ofHalf = (half: number): Model => {
    const rows = rowsWhere(halfOf, of => of === half)
    return fit(
      specification,
      takeRows(block, rows),
      Float64Array.from(rows, n => weights[n]!),
    )
  }
  return agreement([ofHalf(0), ofHalf(1)], block, kernel)
}

/** Of so many starts of a fit one is tried for the prequential pass, which searches several times. */
const PREQUENTIAL_SHARE = 5

/** One pass of stepwise EM over the events after those of the warm-up, each batch scored before it is learned. */
function prequential(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array,
  { seed, kernel, batchSize }: SelectionOptions,
): number {
  const events = Math.min(specification.warmUp.events, Math.floor(block.rows / 4))
  if (events < 2 * specification.components) return Number.NaN
  const restarts = Math.ceil(specification.warmUp.restarts / PREQUENTIAL_SHARE)
  const short = { ...specification, warmUp: { ...specification.warmUp, events, restarts } }
  const estimator = stepwiseEm({ ...specification, ...(batchSize === undefined ? {} : { batchSize }) })
  const model = fitModel(short, block, weights, {
    estimator,
    random: random(seed),
    kernel,
  })
  return model.prequentialLogLikelihood ?? Number.NaN
}

/** A random fold for every row, the same for all rows of a group; the folds' numbers of groups differ by one at most. */
function foldsOf(groups: Int32Array, groupCount: number, folds: number, seed: number): Int32Array {
  const foldOfGroup = new Int32Array(groupCount)
  permutation(groupCount, random(seed)).forEach((group, i) => {
    foldOfGroup[group] = i % folds
  })
  return groups.map(group => foldOfGroup[group]!)
}

const rowsWhere = (foldOf: Int32Array, keep: (fold: number) => boolean): Int32Array =>
  Int32Array.from(foldOf.keys()).filter(n => keep(foldOf[n]!))

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

function weightedMean(values: Float64Array, weights: Float64Array, weight: number): number {
  return values.reduce((total, value, n) => total + weights[n]! * value, 0) / weight
}

/** Standard error of a weighted mean of values of which those of a group may be alike. */
function standardError(
  values: Float64Array,
  weights: Float64Array,
  weight: number,
  groups: Int32Array,
  groupCount: number,
): number {
  const mean = weightedMean(values, weights, weight)
  const sums = new Float64Array(groupCount)
  for (const [n, value] of values.entries()) sums[groups[n]!]! += weights[n]! * (value - mean)
  return Math.sqrt(sums.reduce((total, own) => total + own ** 2, 0)) / weight
}
