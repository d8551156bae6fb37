import { DEFAULTS } from '../em/defaults.ts'
import type { StepSizeSpecification } from '../em/step-size.ts'
import type { Covariance } from '../families/gaussian/layout.ts'
import type { Prior } from '../families/prior.ts'
import type { DeclaredTreatment, TransformName } from '../treatment/treatment.ts'
import { describeType, type FeatureType, featureTypes } from './feature-types.ts'

export interface FeatureSpecification extends DeclaredTreatment {
  readonly name: string
  readonly type: FeatureType
  /** categories only: how many there are, ≥ 2 */
  readonly categories?: number
  /** counts only: the feature of type `exposure` that they were counted under (days observed, visits that could have bought): what is learned is a rate per unit of it */
  readonly exposure?: string
  /** names of the categories in the order of their codes, and the unit of the values: for reports only */
  readonly values?: readonly string[]
  readonly unit?: string
}

export const NUMBERS_FAMILIES = ['gaussian', 'student-t', 'auto'] as const
export type NumbersFamily = (typeof NUMBERS_FAMILIES)[number]

/** The form of a model, as plain JSON. Everything that is estimated is in its parameters. */
export interface ModelSpecification {
  readonly features: readonly FeatureSpecification[]
  /** K */
  readonly components: number
  /** form of the numbers' covariance */
  readonly covariance: Covariance
  /** rank of a `factor` covariance */
  readonly factors?: number
  /** family of the numbers: `student-t` is robust to outliers; `auto` chooses between the two for each component: a t of the best ν among 2.5, 4, 7, 15 and ∞ */
  readonly family: NumbersFamily
  /** student-t only: ν, held fixed; estimated if absent */
  readonly degreesOfFreedom?: number
  /** whether numbers are centred and scaled by the warm-up sample */
  readonly standardise: boolean
  readonly prior: Prior
  readonly stepSize: StepSizeSpecification
  readonly warmUp: WarmUpSpecification
}

/**
 * How a run of EM begins: greedy k-means++ and a few Lloyd iterations; K events drawn at random as centres; one component, split along
 * its largest variance until there are K; or by turns each of these and a tree of clusters.
 */
export type Initialisation = 'auto' | 'kmeans++' | 'random' | 'split'

/** Starting model: the best of several runs of EM. */
export interface WarmUpSpecification {
  /** events buffered before the first model */
  readonly events: number
  /** how each run begins */
  readonly initialisation: Initialisation
  /** number of runs, ≥ 1; as many moves of a segment are tried from the best of them */
  readonly restarts: number
  /** most EM iterations of each run, and again of the best one on the whole buffer */
  readonly iterations: number
}

/** What must be said about a model; the rest has defaults. */
export type SpecificationInput = Pick<ModelSpecification, 'components'> &
  Partial<Omit<ModelSpecification, 'features' | 'prior' | 'stepSize' | 'warmUp'>> & {
    /** a name alone is a number */
    readonly features: readonly (string | (Partial<FeatureSpecification> & { readonly name: string }))[]
    readonly prior?: Partial<Prior>
    readonly stepSize?: Partial<StepSizeSpecification>
    readonly warmUp?: Partial<WarmUpSpecification>
  }

export const DEFAULT_PRIOR: Prior = {
  weightPseudoEvents: 0,
  meanPseudoEvents: 0,
  covariancePseudoEvents: 0,
  varianceFloor: 1e-6,
}

/**
 * A complete specification from a partial one.
 * @throws Error naming the first field that is out of range
 */
export function createSpecification(input: SpecificationInput): ModelSpecification {
  const specification: ModelSpecification = {
    components: input.components,
    covariance: input.covariance ?? 'full',
    ...(input.covariance === 'factor' ? { factors: input.factors ?? 1 } : {}),
    family: input.family ?? 'gaussian',
    ...(input.degreesOfFreedom === undefined ? {} : { degreesOfFreedom: input.degreesOfFreedom }),
    standardise: input.standardise ?? true,
    features: input.features.map(feature =>
      typeof feature === 'string' ? { name: feature, type: 'number' } : { ...feature, type: feature.type ?? 'number' },
    ),
    prior: { ...DEFAULT_PRIOR, ...input.prior },
    stepSize: { ...DEFAULTS.stepSize, ...input.stepSize },
    warmUp: { ...DEFAULTS.warmUp, ...input.warmUp },
  }
  check(specification)
  return specification
}

const COVARIANCES: readonly Covariance[] = ['full', 'tied', 'diag', 'spherical', 'factor']
const TRANSFORMS: readonly TransformName[] = ['auto', 'none', 'log1p', 'yeo-johnson']

function check(specification: ModelSpecification): void {
  const { features, prior, stepSize, warmUp } = specification
  if (features.length === 0)
    throw new Error('features: expected at least one, got none; name the columns to learn from')
  const names = new Set<string>()
  for (const feature of features) {
    const at = `features.${feature.name}`
    if (names.has(feature.name)) throw new Error(`${at}: expected a name used once, got it twice`)
    names.add(feature.name)
    oneOf(`${at}.type`, feature.type, featureTypes)
    if (feature.transform !== undefined) oneOf(`${at}.transform`, feature.transform, TRANSFORMS)
    if (feature.type !== 'number' && (feature.transform ?? 'none') !== 'none')
      throw new Error(`${at}.transform: expected none for a ${feature.type}, got ${feature.transform}`)
    checkTreatment(at, feature)
    if (feature.type === 'category') wholeNumber(`${at}.categories`, feature.categories, 2)
  }
  checkExposures(features)
  wholeNumber('components', specification.components, 1)
  oneOf('covariance', specification.covariance, COVARIANCES)
  oneOf('family', specification.family, NUMBERS_FAMILIES)
  if (specification.family === 'auto') checkAuto(specification)
  if (specification.degreesOfFreedom !== undefined && !(specification.degreesOfFreedom > 0))
    throw new Error(`degreesOfFreedom: expected a number > 0, got ${specification.degreesOfFreedom}`)
  if (specification.factors !== undefined) wholeNumber('factors', specification.factors, 1)
  for (const [name, value] of Object.entries(prior)) atLeast(`prior.${name}`, value, 0)
  if (!(stepSize.exponent > 0.5 && stepSize.exponent <= 1))
    throw new Error(
      `stepSize.exponent: expected a number in (0.5, 1], got ${stepSize.exponent}; outside it stepwise EM does not converge`,
    )
  atLeast('stepSize.offset', stepSize.offset, 0)
  if (stepSize.halfLife !== undefined && !(stepSize.halfLife > 0))
    throw new Error(`stepSize.halfLife: expected a number of events > 0, got ${stepSize.halfLife}`)
  wholeNumber('warmUp.events', warmUp.events, 1)
  oneOf('warmUp.initialisation', warmUp.initialisation, ['auto', 'kmeans++', 'random', 'split'])
  wholeNumber('warmUp.restarts', warmUp.restarts, 1)
  wholeNumber('warmUp.iterations', warmUp.iterations, 0)
}

function checkTreatment(at: string, { type, resolution, atom, bounds }: FeatureSpecification): void {
  for (const [name, value] of Object.entries({ resolution, atom, bounds }))
    if (value !== undefined && type !== 'number')
      throw new Error(`${at}.${name}: expected none for a ${type}, got ${value}`)
  if (resolution !== undefined && !(resolution > 0 && resolution < Infinity))
    throw new Error(
      `${at}.resolution: expected a number > 0, the width of what values were rounded to, got ${resolution}`,
    )
  if (atom !== undefined && !Number.isFinite(atom)) throw new Error(`${at}.atom: expected a finite number, got ${atom}`)
  if (bounds !== undefined && !(bounds[0] < bounds[1]))
    throw new Error(`${at}.bounds: expected two numbers, the smaller first, got ${bounds.join(', ')}`)
}

function checkAuto({ degreesOfFreedom, covariance }: ModelSpecification): void {
  if (degreesOfFreedom !== undefined)
    throw new Error(
      `degreesOfFreedom: expected none with family auto, which chooses them, got ${degreesOfFreedom}; family student-t holds them`,
    )
  if (covariance === 'factor')
    throw new Error('covariance: expected full, tied, diag or spherical with family auto, got factor')
}

function checkExposures(features: readonly FeatureSpecification[]): void {
  const given = features.filter(({ type }) => describeType(type).given).map(({ name }) => name)
  for (const { name, type, exposure } of features) {
    if (exposure === undefined) continue
    if (!describeType(type).counted)
      throw new Error(`features.${name}.exposure: expected none for a ${type}, got ${exposure}; counts have one`)
    if (!given.includes(exposure))
      throw new Error(
        `features.${name}.exposure: expected a feature of type exposure (${given.join(', ') || 'there is none'}), got ${exposure}`,
      )
  }
  const unused = given.find(name => !features.some(({ exposure }) => exposure === name))
  if (unused !== undefined)
    throw new Error(
      `features.${unused}: expected a count with exposure: ${unused}, got none; without one it says nothing`,
    )
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new Error(`${name}: expected one of ${allowed.join(', ')}, got ${value}`)
}

function wholeNumber(name: string, value: number | undefined, least: number): void {
  if (!(Number.isInteger(value) && value! >= least))
    throw new Error(`${name}: expected a whole number ≥ ${least}, got ${value}`)
}

function atLeast(name: string, value: number, least: number): void {
  if (!(value >= least && value < Infinity)) throw new Error(`${name}: expected a number ≥ ${least}, got ${value}`)
}
