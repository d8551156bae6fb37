import type { Block } from '../families/block.ts'
import { overallMoments } from '../families/family.ts'
import { componentFamily } from '../model/create-mixture.ts'
import type { Model } from '../model/model.ts'

/** A component that describes no group of events. */
export interface Degeneracy {
  readonly component: number
  /** share of the weight */
  readonly share: number
  /**
   * `value`: all of it has one value of `features`; `collinear`: `features` depend on one another in it, exactly; `empty`: it is expected to
   * hold less than one event
   */
  readonly kind: 'value' | 'collinear' | 'empty'
  /** indices into the specification's features; of `collinear`, all numbers; of `empty`, none */
  readonly features: readonly number[]
}

/** A variance this much above the floor is free. */
const TOLERANCE = 1e-3

/**
 * The components of a fitted model that are held at the variance floor, and why, and those that are empty: their likelihood says nothing of
 * the next event, however large it is.
 * @param weight Σ of the weights of the events it was fitted to
 */
export function degeneracies(model: Pick<Model, 'specification' | 'parameters'>, weight: number): Degeneracy[] {
  const { specification, parameters } = model
  const { varianceFloor } = specification.prior
  const family = componentFamily(specification)
  const weights = parameters.weights!
  const moments = family.moments(parameters)
  const { variance } = overallMoments(moments, weights)
  const floored = family.floored?.(parameters, weights, varianceFloor)
  const { columns, variances } = moments
  const isNumber = (column: number) => specification.features[column]?.type === 'number'
  return Array.from(weights, (share, component): Degeneracy | undefined => {
    if (share * weight < 1) return { component, share, kind: 'empty', features: [] }
    if (floored?.[component] !== true) return undefined
    const held = Array.from(columns.keys())
      .filter(i => variances[component * columns.length + i]! <= varianceFloor * variance[i]! * (1 + TOLERANCE))
      .map(i => columns[i]!)
      .filter(isNumber)
    return held.length > 0
      ? { component, share, kind: 'value', features: held }
      : { component, share, kind: 'collinear', features: Array.from(columns).filter(isNumber) }
  }).filter(found => found !== undefined)
}

/** How many different rows there are; counts no further than `most`. */
export function distinctRows({ rows, columns, values }: Block, most: number): number {
  const seen = new Set<string>()
  for (let n = 0; n < rows && seen.size < most; n++) seen.add(values.subarray(n * columns, (n + 1) * columns).join())
  return seen.size
}
