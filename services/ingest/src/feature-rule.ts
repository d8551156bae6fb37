import type { FeatureType } from '@eddy/mixture'

/** What a feature of an event must look like. Declared in the configuration, in the order of the feature vector. */
export interface FeatureRule {
  readonly name: string
  readonly type: FeatureType
  /** categories in the order of their codes 0, 1, … */
  readonly values?: readonly string[] | undefined
  /** bounds, inclusive, in the user's units */
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** refuse events that lack it; otherwise it is a missing value */
  readonly required?: boolean | undefined
}
