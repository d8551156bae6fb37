import {
  type Covariance,
  createKernel,
  DEFAULT_PRIOR,
  DEFAULTS,
  type FeatureType,
  featureTypes,
  type Initialisation,
  NUMBERS_FAMILIES,
  type NumbersFamily,
  type Prior,
  type TransformName,
} from '@eddy/mixture'
import { type FeatureColumn, type FeatureOptions, type FeatureStream, isIdName } from '@eddy/records'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { decimal, featureColumns, nameList, typeList, wholeNumber } from '../command-line/arguments.ts'
import { UsageError } from '../command-line/exit-code.ts'
import { note, type Terminal } from '../command-line/terminal.ts'
import { type Algorithm, algorithms } from '../offline/train.ts'
import { addInputOptions, type InputFlags, openFeatures } from './input-options.ts'

/** Flags that say what kind of model is fitted, and how: `fit`, `select` and `classify` have them. */
export interface ModelFlags extends InputFlags {
  readonly features?: readonly string[]
  readonly types?: ReadonlyMap<string, FeatureType>
  readonly exposure?: ReadonlyMap<string, string>
  readonly covariance: Covariance
  readonly factors?: number
  readonly family: NumbersFamily
  readonly degreesOfFreedom?: number
  readonly init: string
  readonly restarts?: number
  readonly algorithm: Algorithm
  readonly passes: number
  readonly batchSize: number
  readonly stepExponent: number
  readonly varianceFloor: number
  readonly prior?: Partial<Prior>
  readonly tolerance: number
  readonly maxIterations: number
  readonly seed: number
  /** false for --no-transform */
  readonly transform?: boolean | TransformList
  readonly resolution?: ReadonlyMap<string, number>
}

const initialisations = ['auto', 'kmeans++', 'random', 'split'] as const satisfies readonly Initialisation[]

/** Forms of a covariance that a model can have. */
export const COVARIANCES = ['full', 'tied', 'diag', 'spherical', 'factor'] as const

/** Adds the input options and everything that says what kind of model is fitted. */
export function addModelOptions(command: Command, forms: readonly string[] = COVARIANCES): Command {
  return addInputOptions(command)
    .option('--features <a,b,c>', 'columns to learn from (default: every number that is not an id)', nameList)
    .option(
      '--types <a=number,b=count>',
      `types of columns that are not plain numbers: ${featureTypes.filter(type => type !== 'number').join(', ')}`,
      typeList,
    )
    .option(
      '--exposure <count=column>',
      'what counts were made under, such as days observed (visits=days); a rate per unit of it is learned, and no event may be without it',
      exposureList,
    )
    .addOption(
      new Option(
        '--covariance <form>',
        'of the numbers; spherical is in standardised units, or in yours with --no-transform',
      )
        .choices(forms)
        .default('full'),
    )
    .option('--factors <q>', 'rank of a factor covariance', wholeNumber(1))
    .addOption(
      new Option(
        '--family <name>',
        'of the numbers; student-t is robust to outliers; auto chooses for each segment how heavy its tails are',
      )
        .choices([...NUMBERS_FAMILIES])
        .default('gaussian'),
    )
    .option('--degrees-of-freedom <nu>', 'student-t: fixed; estimated if absent', decimal('(0, Infinity)'))
    .addOption(new Option('--algorithm <name>').choices([...algorithms]).default('batch'))
    .option('--passes <n>', 'stepwise: passes over the data', wholeNumber(1), 1)
    .option('--batch-size <m>', 'stepwise: events per step', wholeNumber(1), DEFAULTS.batchSize)
    .option(
      '--step-exponent <alpha>',
      'stepwise: α of the step size (n + t0)^−α an event, n events learned, in (0.5, 1]; 1 is the mean of all',
      decimal('(0.5, 1]'),
      DEFAULTS.stepSize.exponent,
    )
    .option(
      '--variance-floor <f>',
      "smallest variance, as a share of the feature's overall variance",
      decimal('[0, 1]'),
      DEFAULT_PRIOR.varianceFloor,
    )
    .option('--prior <weight=1,mean=0.5,covariance=8>', 'MAP estimate: pseudo-events of each part', priorList)
    .option(
      '--tolerance <t>',
      'stop when the mean log-likelihood changes by less than this, in nats',
      decimal('[0, Infinity)'),
      1e-3,
    )
    .option('--max-iterations <n>', 'batch, hard, kmeans: at most this many iterations', wholeNumber(1), 100)
    .option(
      '--init <how>',
      `${initialisations.join(', ')}: how the runs begin whose best one goes on; auto takes trees of clusters, k-means++, splits and random ` +
        'events by turns, or k-means++ for kmeans',
      'auto',
    )
    .option(
      '--restarts <n>',
      `such runs, and moves of a segment from the best of them (default: ${DEFAULTS.warmUp.restarts}, half as many for each fit of select)`,
      wholeNumber(1, 10_000),
    )
    .option('--seed <s>', 'seed of all randomness', wholeNumber(0), 1)
    .option(
      '--transform <a=log1p,none>',
      'auto, none, log1p or yeo-johnson, for all numbers or for one, applied before they are centred and scaled; auto decides by ' +
        'likelihood, and also detects very common and rounded values (default: auto; none for kmeans and with a file of starting values)',
      transformList,
    )
    .option('--resolution <a=0.01,b=1>', 'what numbers were rounded to; auto detects it', resolutionList)
    .option('--no-transform', 'leave features as they are: not even centred and scaled')
}

interface TransformList {
  /** of the numbers that `byName` does not name */
  readonly all?: TransformName
  readonly byName: ReadonlyMap<string, TransformName>
}

const transformNames: readonly string[] = ['auto', 'none', 'log1p', 'yeo-johnson']

/** Parser of `a=log1p,b=yeo-johnson,none`. */
function transformList(text: string): TransformList {
  let all: TransformName | undefined
  const byName = new Map<string, TransformName>()
  for (const pair of nameList(text)) {
    const parts = pair.split('=')
    const transform = parts.at(-1)!
    if (parts.length > 2 || !parts[0] || !transformNames.includes(transform)) {
      throw new InvalidArgumentError(
        `Expected name=transform, or a transform for all, with one of ${transformNames.join(', ')}, got "${pair}".`,
      )
    }
    if (parts.length === 1) all = transform as TransformName
    else byName.set(parts[0], transform as TransformName)
  }
  return { ...(all === undefined ? {} : { all }), byName }
}

/** Parser of `a=0.01,b=1`. */
function resolutionList(text: string): ReadonlyMap<string, number> {
  return new Map(
    nameList(text).map(pair => {
      const [name, value, ...more] = pair.split('=')
      if (!name || more.length > 0) throw new InvalidArgumentError(`Expected name=number, got "${pair}".`)
      return [name, decimal('(0, Infinity)')(value ?? '')]
    }),
  )
}

const priorParts = {
  weight: 'weightPseudoEvents',
  mean: 'meanPseudoEvents',
  covariance: 'covariancePseudoEvents',
} as const

/** Parser of `visits=days,orders=days`. */
function exposureList(text: string): ReadonlyMap<string, string> {
  return new Map(
    nameList(text).map(pair => {
      const [count, column, ...more] = pair.split('=')
      if (!count || !column || more.length > 0)
        throw new InvalidArgumentError(`Expected count=column, such as visits=days, got "${pair}".`)
      return [count, column]
    }),
  )
}

/** Parser of `weight=1,mean=0.5,covariance=8`. */
function priorList(text: string): Partial<Prior> {
  return Object.fromEntries(
    nameList(text).map(pair => {
      const [part, value, ...more] = pair.split('=')
      if (!part || !Object.hasOwn(priorParts, part) || more.length > 0) {
        throw new InvalidArgumentError(
          `Expected part=number with one of ${Object.keys(priorParts).join(', ')}, got "${pair}".`,
        )
      }
      return [priorParts[part as 'weight'], decimal('[0, Infinity)')(value ?? '')]
    }),
  )
}

/** Opens the input of a command that learns; says where what is to be learned looks like an id. */
export async function openModelFeatures(
  terminal: Terminal,
  flags: ModelFlags,
  options: Pick<FeatureOptions, 'label'> = {},
): Promise<FeatureStream> {
  for (const name of flags.features ?? [])
    if (isIdName(name) && (flags.types?.get(name) ?? 'number') === 'number')
      note(terminal, `eddy: ${name} looks like an id, whose numbers measure nothing. Leave it out of --features.`)
  return openFeatures(terminal, flags, modelColumns(flags), { ...options, types: typesOf(flags) })
}

/** The features of the flags; undefined for every column of the input. */
function modelColumns(flags: ModelFlags): readonly FeatureColumn[] | undefined {
  return featureColumns(flags.features, typesOf(flags))
}

/** The types that flags tell: what is an exposure is said by `--exposure`. */
function typesOf({ types, exposure }: Pick<ModelFlags, 'types' | 'exposure'>): ModelFlags['types'] {
  if (exposure === undefined) return types
  for (const [count, name] of exposure) {
    const type = types?.get(name) ?? 'exposure'
    if (type !== 'exposure')
      throw new UsageError(
        `--exposure ${count}=${name}: expected a column of type exposure, got --types ${name}=${type}.`,
      )
  }
  return new Map([...(types ?? []), ...[...exposure.values()].map(name => [name, 'exposure'] as const)])
}

/** The initialisation a name stands for; undefined for anything else, which `fit` takes for a file. */
export function initialisationOf(init: string): Initialisation | undefined {
  return initialisations.find(name => name === init)
}

/** What `train` takes of the flags. */
export function trainingOptions(flags: ModelFlags & { readonly sharedCovariance?: boolean }) {
  const { transform } = flags
  const init = initialisationOf(flags.init)
  return {
    kernel: createKernel(flags.kernel),
    covariance: flags.covariance,
    factors: flags.factors,
    algorithm: flags.algorithm,
    passes: flags.passes,
    batchSize: flags.batchSize,
    stepExponent: flags.stepExponent,
    family: flags.family,
    degreesOfFreedom: flags.degreesOfFreedom,
    initialisation: init,
    restarts: flags.restarts,
    prior: { ...flags.prior, varianceFloor: flags.varianceFloor },
    tolerance: flags.tolerance,
    maxIterations: flags.maxIterations,
    seed: flags.seed,
    standardise: transform !== false,
    transform: transformOf(flags),
    transforms: typeof transform === 'object' ? transform.byName : undefined,
    resolutions: flags.resolution,
    exposures: flags.exposure,
  }
}

/** Of the numbers that `--transform` does not name. */
function transformOf(flags: ModelFlags & { readonly sharedCovariance?: boolean }): TransformName {
  const { transform, algorithm, init, sharedCovariance } = flags
  if (typeof transform === 'object' && transform.all !== undefined) return transform.all
  // k-means and linear discriminants are about the features as they are, and starting values are in their units.
  const asTheyAre =
    transform === false || algorithm === 'kmeans' || sharedCovariance === true || initialisationOf(init) === undefined
  return asTheyAre ? 'none' : 'auto'
}
