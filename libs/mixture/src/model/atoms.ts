import type { Parameters } from '../families/family.ts'
import { treatmentOf } from '../treatment/treatment.ts'
import { spikeProbabilities } from './create-mixture.ts'
import { modelColumns } from './model-columns.ts'
import type { ModelSpecification } from './specification.ts'

/** A value so common that it stands for itself, and each component's probability of it. */
export interface Atom {
  readonly value: number
  /** shape (K) */
  readonly probabilities: readonly number[]
}

/** The atoms of a model, by the index of their feature. */
export function atomsOf(specification: ModelSpecification, parameters: Parameters): ReadonlyMap<number, Atom> {
  const { spikes } = modelColumns(specification)
  const table = spikeProbabilities(parameters)
  return new Map(
    spikes.map((j, i) => {
      const probabilities = Array.from({ length: specification.components }, (_, k) => table![k * spikes.length + i]!)
      return [j, { value: treatmentOf(specification.features[j]!).atom!, probabilities }] as const
    }),
  )
}
