import type { Estimator } from '../em/estimators/estimator.ts'
import type { Block } from '../families/block.ts'
import { takeRows } from '../families/take-rows.ts'
import { fitModel } from '../fit-model.ts'
import { freeParameters } from '../model/create-mixture.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { permutation, type Random } from '../numerics/random.ts'

/**
 * What decides the number of components. `cross-validation`: mean log p of events in folds that were not learned; `prequential`: mean
 * log p of each event before it was learned, in one pass in the order given; `bic` (Schwarz 1978) and `aic` (Akaike 1974): penalised
 * likelihood, smaller is better.
 */
export type Criterion = 'cross-validation' | 'prequential' | 'bic' | 'aic'

/** What is known about one K. Log-likelihoods are nats per unit weight in the user's units. */
export interface Candidate {
  readonly components: number
  /** number of free parameters */
  readonly freeParameters: number
  readonly meanLogLikelihood: number
  /** −2 log L + p log n */
  readonly bic: number
  /** −2 log L + 2 p */
  readonly aic: number
  /** only if this is the criterion */
  readonly crossValidation?: number
  /** standard error of `crossValidation` over the folds */
  readonly crossValidationError?: number
  /** only if this is the criterion */
  readonly prequential?: number
  readonly model: Model
}

export interface Selection {
  readonly candidates: readonly Candidate[]
  /** the one the criterion prefers */
  readonly best: Candidate
  /** K that BIC prefers: shown beside `best`, to be warned where the two disagree */
  readonly bicComponents: number
}

export interface SelectOptions {
  readonly minComponents: number
  readonly maxComponents: number
  readonly criterion: Criterion
  /** cross-validation only, default 5 */
  readonly folds?: number
  /** fits each candidate; `prequential` needs one that reports it, such as `stepwiseEm` */
  readonly estimator: Estimator
  readonly random: Random
  /** told after each candidate */
  readonly onCandidate?: (candidate: Candidate) => void
}

/**
 * Fits K = min … max and compares them. Where log-likelihoods decide, the larger wins, and the smaller K of equals.
 * @param specification its `components` is not read
 * @throws if the range is empty, or there are fewer events than folds
 */
export function selectComponents(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  options: SelectOptions,
): Selection {
  const { minComponents, maxComponents, criterion, folds = 5, estimator, random } = options
  if (!(minComponents >= 1 && maxComponents >= minComponents))
    throw new Error(`maxComponents: expected at least minComponents (${minComponents} ≥ 1), got ${maxComponents}`)
  if (criterion === 'cross-validation' && !(folds >= 2 && block.rows >= folds))
    throw new Error(`folds: expected 2 … ${block.rows} (the number of events), got ${folds}`)
  // The same folds for every K, so that their differences are not those of the folds.
  const order = permutation(block.rows, random)
  const candidates: Candidate[] = []
  for (let components = minComponents; components <= maxComponents; components++) {
    const own = withShortWarmUp({ ...specification, components }, criterion, block.rows)
    const model = fitModel(own, block, weights, { estimator, random })
    const { logLikelihood, weight } = likelihood(model, block, weights)
    const p = freeParameters(own)
    const candidate: Candidate = {
      components,
      freeParameters: p,
      meanLogLikelihood: logLikelihood / weight,
      bic: -2 * logLikelihood + p * Math.log(weight),
      aic: -2 * logLikelihood + 2 * p,
      ...(criterion === 'cross-validation'
        ? crossValidate(own, block, weights, order, folds, estimator, random)
        : criterion === 'prequential'
          ? { prequential: prequentialOf(model) }
          : {}),
      model,
    }
    candidates.push(candidate)
    options.onCandidate?.(candidate)
  }
  const least = (key: 'bic' | 'aic') => candidates.reduce((a, b) => (b[key] < a[key] ? b : a))
  const most = (key: 'crossValidation' | 'prequential') =>
    candidates.reduce((a, b) => ((b[key] ?? -Infinity) > (a[key] ?? -Infinity) ? b : a))
  const best =
    criterion === 'bic' || criterion === 'aic'
      ? least(criterion)
      : most(criterion === 'prequential' ? 'prequential' : 'crossValidation')
  return { candidates, best, bicComponents: least('bic').components }
}

/** Of events that the warm-up has learned nothing is told before it was learned: it may take a quarter of them. */
function withShortWarmUp(specification: ModelSpecification, criterion: Criterion, rows: number): ModelSpecification {
  if (criterion !== 'prequential') return specification
  const { warmUp } = specification
  return { ...specification, warmUp: { ...warmUp, events: Math.min(warmUp.events, Math.max(1, Math.floor(rows / 4))) } }
}

function prequentialOf(model: Model): number {
  if (model.prequentialLogLikelihood === undefined)
    throw new Error('criterion: prequential needs an estimator that learns in one pass; use stepwise or incremental EM')
  return model.prequentialLogLikelihood
}

function crossValidate(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  order: Int32Array,
  folds: number,
  estimator: Estimator,
  random: Random,
): { crossValidation: number; crossValidationError: number } {
  const means: number[] = []
  let total = 0
  let totalWeight = 0
  for (let fold = 0; fold < folds; fold++) {
    const test = order.filter((_, i) => i % folds === fold)
    const train = order.filter((_, i) => i % folds !== fold)
    const model = fitModel(specification, takeRows(block, train), pick(weights, train), { estimator, random })
    const { logLikelihood, weight } = likelihood(model, takeRows(block, test), pick(weights, test))
    means.push(logLikelihood / weight)
    total += logLikelihood
    totalWeight += weight
  }
  const mean = means.reduce((a, b) => a + b, 0) / folds
  const variance = means.reduce((sum, m) => sum + (m - mean) ** 2, 0) / (folds - 1)
  return { crossValidation: total / totalWeight, crossValidationError: Math.sqrt(variance / folds) }
}

const pick = (weights: Float64Array | undefined, order: Int32Array): Float64Array | undefined =>
  weights === undefined ? undefined : Float64Array.from(order, n => weights[n]!)

function likelihood(model: Model, block: Block, weights: Float64Array | undefined) {
  const { logDensity } = scoreModel(model, block)
  let logLikelihood = 0
  let weight = 0
  for (let n = 0; n < block.rows; n++) {
    const w = weights?.[n] ?? 1
    weight += w
    if (w > 0) logLikelihood += w * logDensity[n]!
  }
  return { logLikelihood, weight }
}
