import { type Block, fitModel, freeParameters, permutation, random, scoreModel, stepwiseEm } from '@eddy/mixture'
import type { FeatureMatrix } from '@eddy/records'
import { specificationOf, type TrainingOptions, train } from './train.ts'

export const criteria = ['cross-validation', 'prequential', 'bic', 'aic'] as const
export type Criterion = (typeof criteria)[number]

export interface SelectionOptions {
  readonly training: Omit<TrainingOptions, 'components'>
  readonly minComponents: number
  readonly maxComponents: number
  readonly criterion: Criterion
  readonly folds: number
  /** told how far the work is, 0 … 1 */
  readonly onProgress?: ((share: number) => void) | undefined
}

/** A gain that no one would notice, nats per event; a balanced pair of segments 2.5 sd apart is worth 0.03. */
const negligible = 0.005

/** What is known of one number of components. Likelihoods are in nats per unit weight, user's units. */
export interface Candidate {
  readonly components: number
  /** free parameters */
  readonly parameters: number
  /** on the events it was fitted to */
  readonly meanLogLikelihood: number
  readonly bic: number
  readonly aic: number
  /** mean log p of each event under a model fitted without its fold */
  readonly crossValidation: number
  /** how far behind the best candidate cross-validation is … */
  readonly behind: number
  /** … and the standard error of that, from paired differences an event */
  readonly behindError: number
  /** mean log p of each event before it was learned, in one pass of stepwise EM after a warm-up; NaN for too few events */
  readonly prequential: number
}

export interface Selection {
  readonly criterion: Criterion
  readonly chosen: number
  /** the number of components that each criterion would take */
  readonly choices: Readonly<Record<Criterion, number>>
  readonly candidates: readonly Candidate[]
}

/**
 * Fits every number of components of a range and compares them.
 *
 * `cross-validation` takes the smallest number whose held-out likelihood is not worse than the best one's by more than a standard
 * error of the paired difference (after the one-standard-error rule of Breiman et al. 1984), nor by more than `negligible`. `prequential` takes the largest likelihood of events
 * before they were learned (Dawid 1984). `bic` and `aic` take the least value.
 */
export function selectComponents(matrix: FeatureMatrix, options: SelectionOptions): Selection {
  const { minComponents, maxComponents, folds } = options
  const counts = Array.from({ length: maxComponents - minComponents + 1 }, (_, i) => minComponents + i)
  const foldOf = foldsOf(matrix.rows, folds, options.training.seed)
  const heldOut: Float64Array[] = []
  const fitted = counts.map((components, i) => {
    const training = { ...options.training, components }
    const done = (part: number) => options.onProgress?.((i + part) / counts.length)
    heldOut.push(crossValidated(matrix, training, foldOf, folds, done))
    return { components, ...onAll(matrix, training), prequential: prequential(matrix, training) }
  })
  const weight = sum(matrix.weights)
  const means = heldOut.map(scores => weightedMean(scores, matrix.weights, weight))
  const best = means.indexOf(Math.max(...means))
  const candidates = fitted.map((candidate, i): Candidate => {
    const difference = heldOut[best]!.map((score, n) => score - heldOut[i]![n]!)
    return {
      ...candidate,
      crossValidation: means[i]!,
      behind: means[best]! - means[i]!,
      behindError: standardError(difference, matrix.weights, weight),
    }
  })
  const choices = {
    'cross-validation': candidates.find(({ behind, behindError }) => behind <= Math.max(behindError, negligible))!
      .components,
    prequential: bestBy(candidates, candidate => candidate.prequential),
    bic: bestBy(candidates, candidate => -candidate.bic),
    aic: bestBy(candidates, candidate => -candidate.aic),
  }
  return { criterion: options.criterion, chosen: choices[options.criterion], choices, candidates }
}

/** The components of the largest score; the first where none can be compared. */
function bestBy(candidates: readonly Candidate[], score: (candidate: Candidate) => number): number {
  return candidates.reduce((a, b) => (score(b) > score(a) ? b : a)).components
}

function onAll(matrix: FeatureMatrix, training: TrainingOptions) {
  const model = train(matrix, training)
  const weight = sum(matrix.weights)
  const meanLogLikelihood = weightedMean(
    scoreModel(model, blockOf(matrix), training.kernel).logDensity,
    matrix.weights,
    weight,
  )
  const parameters = freeParameters(model.specification)
  return {
    parameters,
    meanLogLikelihood,
    bic: parameters * Math.log(weight) - 2 * weight * meanLogLikelihood,
    aic: 2 * parameters - 2 * weight * meanLogLikelihood,
  }
}

/** log p of every event under the model of the other folds, shape (rows). */
function crossValidated(
  matrix: FeatureMatrix,
  training: TrainingOptions,
  foldOf: Int32Array,
  folds: number,
  done: (share: number) => void,
): Float64Array {
  const scores = new Float64Array(matrix.rows)
  for (let fold = 0; fold < folds; fold++) {
    const model = train(rowsWhere(matrix, n => foldOf[n] !== fold).matrix, training)
    const held = rowsWhere(matrix, n => foldOf[n] === fold)
    const { logDensity } = scoreModel(model, blockOf(held.matrix), training.kernel)
    held.rows.forEach((n, i) => {
      scores[n] = logDensity[i]!
    })
    done((fold + 1) / (folds + 1))
  }
  return scores
}

/** One pass of stepwise EM over the events after those of the warm-up, each batch scored before it is learned. */
function prequential(matrix: FeatureMatrix, training: TrainingOptions): number {
  const specification = specificationOf(matrix, training)
  const { batchSize, seed, components } = training
  const events = Math.min(specification.warmUp.events, Math.floor(matrix.rows / 4))
  if (events < 2 * components) return Number.NaN
  const short = { ...specification, warmUp: { ...specification.warmUp, events } }
  const estimator = stepwiseEm({ ...specification, batchSize })
  const model = fitModel(short, blockOf(matrix), matrix.weights, {
    estimator,
    random: random(seed),
    kernel: training.kernel,
  })
  return model.prequentialLogLikelihood ?? Number.NaN
}

/** A random fold for every row; the folds' sizes differ by one at most. */
function foldsOf(rows: number, folds: number, seed: number): Int32Array {
  const foldOf = new Int32Array(rows)
  permutation(rows, random(seed)).forEach((n, i) => {
    foldOf[n] = i % folds
  })
  return foldOf
}

function rowsWhere(matrix: FeatureMatrix, keep: (n: number) => boolean) {
  const rows: number[] = []
  for (let n = 0; n < matrix.rows; n++) if (keep(n)) rows.push(n)
  const columns = matrix.columns.length
  const values = new Float64Array(rows.length * columns)
  rows.forEach((n, i) => {
    values.set(matrix.values.subarray(n * columns, (n + 1) * columns), i * columns)
  })
  const weights = Float64Array.from(rows, n => matrix.weights[n]!)
  return { rows, matrix: { columns: matrix.columns, rows: rows.length, values, weights } }
}

function blockOf(matrix: FeatureMatrix): Block {
  return { rows: matrix.rows, columns: matrix.columns.length, values: matrix.values }
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

function weightedMean(values: Float64Array, weights: Float64Array, weight: number): number {
  return values.reduce((total, value, n) => total + weights[n]! * value, 0) / weight
}

/** Standard error of a weighted mean. */
function standardError(values: Float64Array, weights: Float64Array, weight: number): number {
  const mean = weightedMean(values, weights, weight)
  return Math.sqrt(values.reduce((total, value, n) => total + (weights[n]! * (value - mean)) ** 2, 0)) / weight
}
