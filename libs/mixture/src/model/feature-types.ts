import { negativeBinomial } from '../families/counts/negative-binomial.ts'
import { zeroInflated } from '../families/counts/zero-inflated.ts'
import { bernoulli } from '../families/discrete/bernoulli.ts'
import { categorical } from '../families/discrete/categorical.ts'
import { poisson } from '../families/discrete/poisson.ts'
import { exponential } from '../families/exponential/exponential.ts'
import type { Family } from '../families/family.ts'

/** Sizes of a family over all features of one type. */
interface TypeOptions {
  /** K */
  readonly components: number
  /** how many features have the type */
  readonly columns: number
  /** how many values each of them has, where these are names */
  readonly categories: readonly number[]
  /** which of the features were counted under an exposure: its column stands behind theirs, see `countColumns` */
  readonly exposed: readonly number[]
}

/** All that is known of a type of feature, in one place. */
export interface FeatureTypeDescription {
  /** what a value is in a file or an event: a number, true or false, or one of several names */
  readonly written: 'number' | 'truth' | 'name'
  /** what a value must be, for messages: `expected …` */
  readonly expected: string
  /** whether a finite number (of a truth 0 or 1, of a name its code) can be such a value */
  readonly accepts: (value: number) => boolean
  /** the component densities of its columns; absent where the specification chooses among several */
  readonly family?: (options: TypeOptions) => Family
  /** free parameters of a component for one feature; of a name with C values, C − 1 */
  readonly freeParameters?: (categories: number) => number
  /**
   * In the JSON of a model (`ModelJson`): where the features' names stand, and where what is typical of them (K, d): their means, of a number
   * the centre. `others` are arrays of the family that stand there too, by their names there.
   */
  readonly json?: {
    readonly names: string
    readonly typical: string
    readonly others?: Readonly<Record<string, string>>
  }
  /** whether values are counts, each more or less probable by itself */
  readonly counted?: true
  /** its values are not learned: the others came about under them, and none may be missing */
  readonly given?: true
  /** bends a value so that distances between events mean something; then it is scaled to variance 1 */
  readonly spread?: (value: number) => number
}

const isWhole = (value: number): boolean => Number.isInteger(value) && value >= 0

/** The types of features, in the order in which their families stand in a product. */
export const FEATURE_TYPES = {
  number: {
    written: 'number',
    expected: 'a number',
    accepts: Number.isFinite,
    json: { names: 'feature_names_in_', typical: 'centres_' },
  },
  count: {
    written: 'number',
    expected: 'a count (0, 1, 2 …)',
    accepts: isWhole,
    family: poisson,
    freeParameters: () => 1,
    counted: true,
    json: { names: 'count_names_', typical: 'rates_' },
    spread: Math.sqrt,
  },
  'negative-binomial': {
    written: 'number',
    expected: 'a count (0, 1, 2 …)',
    accepts: isWhole,
    family: negativeBinomial,
    freeParameters: () => 2,
    counted: true,
    json: {
      names: 'negative_binomial_names_',
      typical: 'negative_binomial_means_',
      others: { negative_binomial_sizes_: 'sizes' },
    },
    spread: Math.log1p,
  },
  'zero-inflated': {
    written: 'number',
    expected: 'a count (0, 1, 2 …)',
    accepts: isWhole,
    family: zeroInflated,
    freeParameters: () => 2,
    counted: true,
    json: {
      names: 'zero_inflated_names_',
      typical: 'zero_inflated_means_',
      others: { zero_inflated_rates_: 'rates', zero_inflated_zeros_: 'zeros' },
    },
    spread: Math.sqrt,
  },
  exposure: {
    written: 'number',
    expected: 'an exposure (a number above 0)',
    accepts: value => value > 0 && value < Infinity,
    given: true,
  },
  duration: {
    written: 'number',
    expected: 'a duration (a number of at least 0)',
    accepts: value => value >= 0,
    family: exponential,
    freeParameters: () => 1,
    json: { names: 'duration_names_', typical: 'durations_' },
    spread: Math.log1p,
  },
  category: {
    written: 'name',
    expected: 'a category (text)',
    accepts: isWhole,
    family: categorical,
    freeParameters: categories => categories - 1,
  },
  boolean: {
    written: 'truth',
    expected: 'true or false',
    accepts: value => value === 0 || value === 1,
    family: bernoulli,
    freeParameters: () => 1,
    json: { names: 'boolean_names_', typical: 'probabilities_' },
  },
} as const satisfies Record<string, FeatureTypeDescription>

export type FeatureType = keyof typeof FEATURE_TYPES

export const featureTypes = Object.keys(FEATURE_TYPES) as [FeatureType, ...FeatureType[]]

/** What is known of a type. */
export const describeType = (type: FeatureType): FeatureTypeDescription => FEATURE_TYPES[type]
