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
   * In the JSON of a model (`ModelJson`): where the features' names stand, where what is typical of them (K, d), and which of the family's
   * arrays that is, if it is one as it stands.
   */
  readonly json?: { readonly names: string; readonly typical: string; readonly array?: string }
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
    json: { names: 'count_names_', typical: 'rates_', array: 'rates' },
    spread: Math.sqrt,
  },
  duration: {
    written: 'number',
    expected: 'a duration (a number of at least 0)',
    accepts: value => value >= 0,
    family: exponential,
    freeParameters: () => 1,
    json: { names: 'duration_names_', typical: 'durations_', array: 'scales' },
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
    json: { names: 'boolean_names_', typical: 'probabilities_', array: 'probabilities' },
  },
} as const satisfies Record<string, FeatureTypeDescription>

export type FeatureType = keyof typeof FEATURE_TYPES

export const featureTypes = Object.keys(FEATURE_TYPES) as [FeatureType, ...FeatureType[]]

/** What is known of a type. */
export const describeType = (type: FeatureType): FeatureTypeDescription => FEATURE_TYPES[type]
