/** How a number is declared to be bent; `auto`: its whole treatment is decided on a sample. */
export type TransformName = 'auto' | 'none' | 'log1p' | 'yeo-johnson'

/** A monotone bend of a number. What can be declared, and what can be chosen besides. */
export type BendName = 'none' | 'log1p' | 'yeo-johnson' | 'log' | 'sqrt' | 'logit'

/**
 * How a number enters the model, decided once, by `treated` or by declaration, and part of the specification from then on: with
 * another treatment statistics mean something else.
 */
export interface Treatment {
  readonly transform: BendName
  /**
   * A value so common that it is an answer of its own (a customer who spent 0): a bernoulli column says whether an event has it, and where
   * it does, the number itself is missing.
   */
  readonly atom?: number
  /** Width of the cell that a value stands for, user's units: 1 for whole numbers. */
  readonly resolution?: number
  /** log and sqrt: what is added to the number before it is bent, user's units; default 0 */
  readonly offset?: number
  /** logit: the number's bounds, user's units */
  readonly bounds?: readonly [number, number]
  /** The least and the largest value that the bend was chosen on: below and above them log, sqrt and logit go on as straight lines. */
  readonly support?: readonly [number, number]
}

/** What is said of a number's treatment. */
export interface DeclaredTreatment {
  readonly name: string
  /** numbers only, default `none` */
  readonly transform?: TransformName
  /** numbers only: the width of the cells that they were rounded to, user's units, > 0 */
  readonly resolution?: number
  /** numbers only: a value that is an answer of its own, see `Treatment` */
  readonly atom?: number
  /** numbers only: what they lie between, for `auto` */
  readonly bounds?: readonly [number, number]
  /** what was decided for `auto`: from then on part of the model's form */
  readonly treatment?: Treatment
}

/**
 * A feature's treatment: the one decided, or the one that its declaration says.
 * @throws Error if it is to be decided and has not been
 */
export function treatmentOf(feature: DeclaredTreatment): Treatment {
  if (feature.treatment !== undefined) return feature.treatment
  const { name, transform = 'none', resolution, atom } = feature
  if (transform === 'auto')
    throw new Error(
      `features.${name}.treatment: expected one, as its transform is auto, got none; decide it by \`treated\` on a sample`,
    )
  return {
    transform,
    ...(resolution === undefined ? {} : { resolution }),
    ...(atom === undefined ? {} : { atom }),
  }
}
