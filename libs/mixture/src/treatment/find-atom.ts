import type { ValueCounts } from './value-counts.ts'

/** An atom has at least this share of the events … */
const LEAST_SHARE = 0.02
/** … and the next most common value less than this share of the atom's. */
const MOST_OF_ATOM = 0.2
/** With fewer values there is nothing continuous besides the atom. */
const LEAST_VALUES = 3

/**
 * The value that is an answer of its own rather than one of many, such as the 0 of those who did not buy: common, and much more common than any
 * other. Undefined if there is none.
 */
export function findAtom({ values, weights, weight }: ValueCounts): number | undefined {
  if (values.length < LEAST_VALUES) return undefined
  let first = 0
  for (let i = 1; i < weights.length; i++) if (weights[i]! > weights[first]!) first = i
  let second = 0
  for (let i = 0; i < weights.length; i++) if (i !== first) second = Math.max(second, weights[i]!)
  const most = weights[first]!
  return most >= LEAST_SHARE * weight && second < MOST_OF_ATOM * most ? values[first]! : undefined
}
