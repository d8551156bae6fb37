/** What a feature of an event must look like. Declared in the configuration, in the order of the feature vector. */
export interface FeatureRule {
  readonly name: string
  /** `number` any finite value, `count` an integer ≥ 0, `boolean` true or false, `category` one of `values` */
  readonly type: 'number' | 'count' | 'boolean' | 'category'
  /** categories in the order of their codes 0, 1, … */
  readonly values?: readonly string[] | undefined
  /** bounds, inclusive, in the user's units */
  readonly min?: number | undefined
  readonly max?: number | undefined
  /** refuse events that lack it; otherwise it is a missing value */
  readonly required?: boolean | undefined
}
