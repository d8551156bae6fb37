import type { Model } from '../model/model.ts'

/** Relative difference of numbers that are the same. */
const TOLERANCE = 1e-9

/**
 * Which components are the same in all but their weight, as they are where a model has more of them than its events have different values.
 * @returns shape (K): the first component that each is a copy of; of one that is none, its own index
 */
export function copiesOf({ specification, parameters }: Pick<Model, 'specification' | 'parameters'>): Int32Array {
  const K = specification.components
  // What all components share, such as a tied covariance, has no part of each.
  const arrays = Object.entries(parameters).flatMap(([name, array]) =>
    name === 'weights' || name.startsWith('transform') || array.length % K !== 0 ? [] : [array],
  )
  const alike = (a: number, b: number): boolean =>
    arrays.every(array => {
      const size = array.length / K
      for (let i = 0; i < size; i++) {
        const [x, y] = [array[a * size + i]!, array[b * size + i]!]
        if (Math.abs(x - y) > TOLERANCE * Math.max(1, Math.abs(x), Math.abs(y))) return false
      }
      return true
    })
  const first = new Int32Array(K)
  for (let k = 0; k < K; k++) {
    let of = 0
    while (of < k && !(first[of] === of && alike(of, k))) of++
    first[k] = of
  }
  return first
}
