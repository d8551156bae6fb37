import {
  type Block,
  batchEm,
  bestStart,
  type Covariance,
  createSpecification,
  type Estimator,
  estimateTransform,
  type FeatureSpecification,
  fitModel,
  hardEm,
  type Initialisation,
  type Kernel,
  kMeans,
  kMeansStart,
  type Model,
  type ModelSpecification,
  type NumbersFamily,
  type Parameters,
  type Prior,
  permutation,
  random,
  type StartingJson,
  startingParameters,
  stepwiseEm,
  type TransformName,
  takeRows,
  treated,
} from '@eddy/mixture'
import { ModelError } from '@eddy/model'
import type { FeatureMatrix } from '@eddy/records'

export const algorithms = ['batch', 'stepwise', 'hard', 'kmeans'] as const
export type Algorithm = (typeof algorithms)[number]

export interface TrainingOptions {
  readonly components: number
  readonly covariance: Covariance
  /** rank of a `factor` covariance */
  readonly factors?: number | undefined
  /** of the numbers, default gaussian */
  readonly family?: NumbersFamily | undefined
  /** student-t: fixed; estimated if absent */
  readonly degreesOfFreedom?: number | undefined
  /** what the work is done by, default `auto` */
  readonly kernel?: Kernel | undefined
  readonly algorithm: Algorithm
  readonly passes: number
  readonly batchSize: number
  readonly stepExponent: number
  /** what is given of a prior; the rest is maximum likelihood with the library's variance floor */
  readonly prior?: Partial<Prior> | undefined
  readonly tolerance: number
  readonly maxIterations: number
  readonly seed: number
  /** numbers are centred and scaled */
  readonly standardise: boolean
  /** of the numbers, default auto */
  readonly transform?: TransformName | undefined
  /** of some of them, by name */
  readonly transforms?: ReadonlyMap<string, TransformName> | undefined
  /** what numbers were rounded to, by name */
  readonly resolutions?: ReadonlyMap<string, number> | undefined
  /** the exposures that counts were made under, by the name of the count */
  readonly exposures?: ReadonlyMap<string, string> | undefined
  /** how the short runs begin whose best one is the start, default auto; for kmeans that is k-means++ */
  readonly initialisation?: Initialisation | undefined
  /** number of those runs */
  readonly restarts?: number | undefined
  /** starting values in the user's units instead */
  readonly start?: StartingJson | undefined
  /** told how far the work is, 0 … 1 */
  readonly onProgress?: ((share: number) => void) | undefined
}

/** The specification of a model of these columns. */
export function specificationOf(matrix: Pick<FeatureMatrix, 'columns'>, options: TrainingOptions): ModelSpecification {
  for (const [flag, byName] of [
    ['--transform', options.transforms],
    ['--resolution', options.resolutions],
  ] as const)
    for (const name of byName?.keys() ?? []) {
      if (matrix.columns.some(column => column.name === name && column.type === 'number')) continue
      const numbers = matrix.columns.filter(column => column.type === 'number').map(column => column.name)
      throw new Error(`${flag}: expected features of type number (${numbers.join(', ')}), got ${name}`)
    }
  for (const [name, exposure] of options.exposures ?? [])
    if (!matrix.columns.some(column => column.name === name))
      throw new Error(`--exposure: expected a count among the features, got ${name}=${exposure}`)
  return createSpecification({
    components: options.components,
    covariance: options.covariance,
    ...(options.factors === undefined ? {} : { factors: options.factors }),
    family: options.family ?? 'gaussian',
    ...(options.degreesOfFreedom === undefined ? {} : { degreesOfFreedom: options.degreesOfFreedom }),
    standardise: options.standardise,
    features: matrix.columns.map(({ name, type, values }) => ({
      name,
      type,
      ...(type === 'number' ? transformOf(name, options) : {}),
      ...(options.exposures?.has(name) ? { exposure: options.exposures.get(name)! } : {}),
      ...(options.resolutions?.has(name) ? { resolution: options.resolutions.get(name)! } : {}),
      // A column with fewer categories than two still is a categorical variable.
      ...(type === 'category' ? { categories: Math.max(2, values?.length ?? 0) } : {}),
    })),
    prior: options.prior ?? {},
    stepSize: { exponent: options.stepExponent },
    warmUp: {
      ...(options.initialisation === undefined ? {} : { initialisation: options.initialisation }),
      ...(options.restarts === undefined ? {} : { restarts: options.restarts }),
    },
  })
}

/** What is said of a number; starting values from a model are in the units of that model's treatment. */
function transformOf(name: string, { transforms, transform, start }: TrainingOptions): Partial<FeatureSpecification> {
  const declared = transforms?.get(name)
  const before = start?.specification?.features?.find(feature => feature.name === name)
  if (declared !== undefined || before === undefined) return { transform: declared ?? transform ?? 'auto' }
  return {
    transform: before.transform ?? 'none',
    ...(before.treatment === undefined ? {} : { treatment: before.treatment }),
  }
}

/**
 * Fits a model. Deterministic: equal arguments give equal bytes.
 * @throws ModelError when the options and the data do not fit together
 */
export function train(matrix: FeatureMatrix, options: TrainingOptions): Model {
  const block = { rows: matrix.rows, columns: matrix.columns.length, values: matrix.values }
  return orModelError(() => trainOn(specificationOf(matrix, options), block, matrix.weights, options))
}

/** As `train`, of a specification: what is auto about it is decided on these events, if it has not been before. */
export function trainOn(
  declared: ModelSpecification,
  block: Block,
  weights: Float64Array,
  options: Omit<TrainingOptions, 'components'>,
): Model {
  const specification = treated(declared, block, weights)
  const start = startOf(specification, block, weights, options)
  return fitModel(specification, block, weights, {
    estimator: estimatorOf(specification, block.rows, options),
    random: random(options.seed),
    kernel: options.kernel,
    ...(start ? { start } : {}),
  })
}

/** The library's errors name what was expected; they are about what the user asked for. */
export function orModelError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new ModelError((error as Error).message, { cause: error })
  }
}

function estimatorOf(
  { prior, stepSize }: ModelSpecification,
  rows: number,
  options: Omit<TrainingOptions, 'components'>,
): Estimator {
  const { tolerance, maxIterations, batchSize, passes, onProgress } = options
  if (options.algorithm === 'stepwise') {
    const onBatch = (events: number): void => onProgress?.(events / (passes * rows))
    return stepwiseEm({ prior, stepSize, batchSize, passes, onBatch })
  }
  const onIteration = (iteration: number): void => onProgress?.(iteration / maxIterations)
  const iterations = { prior, tolerance, maxIterations, onIteration }
  return { batch: batchEm, hard: hardEm, kmeans: kMeans }[options.algorithm](iterations)
}

/**
 * Starting values from a file, or for algorithms that see all data at once the best start on a random sample: the first events of
 * a sorted file would say little about the rest. Stepwise EM starts from the first events, as it does on a stream.
 */
function startOf(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array,
  options: Omit<TrainingOptions, 'components'>,
): Parameters | undefined {
  const { algorithm, initialisation, restarts, kernel } = options
  if (options.start) {
    return startingParameters(specification, estimateTransform(specification, block, weights), block, options.start)
  }
  if (algorithm === 'stepwise') return undefined
  const generator = random(options.seed)
  const size = specification.warmUp.events
  const rows = block.rows <= size ? undefined : permutation(block.rows, generator).subarray(0, size).sort()
  const sample = rows === undefined ? block : takeRows(block, rows)
  const sampleWeights = rows === undefined ? weights : Float64Array.from(rows, n => weights[n]!)
  if (algorithm === 'kmeans' && ['auto', 'kmeans++'].includes(specification.warmUp.initialisation))
    return kMeansStart(specification, sample, sampleWeights, generator, kernel)
  return bestStart(specification, sample, sampleWeights, { random: generator, restarts, initialisation, kernel })
}
