import { treatmentOf } from '../treatment/treatment.ts'
import { describeType } from './feature-types.ts'
import type { ModelSpecification } from './specification.ts'

/** The columns of model space: first one a feature, then `spikes`, then `cells`. */
export interface ModelColumns {
  /** number of columns */
  readonly count: number
  /** features with an atom, in the order of their bernoulli columns */
  readonly spikes: readonly number[]
  /** features with a resolution, in the order of their columns of cell variances */
  readonly cells: readonly number[]
}

const known = new WeakMap<ModelSpecification, ModelColumns>()

export function modelColumns(specification: ModelSpecification): ModelColumns {
  let columns = known.get(specification)
  if (columns === undefined) {
    const having = (part: 'atom' | 'resolution') =>
      specification.features.flatMap((feature, j) =>
        feature.type === 'number' && treatmentOf(feature)[part] !== undefined ? [j] : [],
      )
    const spikes = having('atom')
    const cells = having('resolution')
    columns = { count: specification.features.length + spikes.length + cells.length, spikes, cells }
    known.set(specification, columns)
  }
  return columns
}

/** The column of the exposure that a feature was counted under; undefined where there is none. */
export function exposureColumn({ features }: ModelSpecification, j: number): number | undefined {
  const { exposure } = features[j]!
  return exposure === undefined ? undefined : features.findIndex(({ name }) => name === exposure)
}

/**
 * The columns of model space that say something of each feature: its own, its spike, its cell variance, the exposure that it was counted under.
 * An exposure says nothing by itself.
 */
export function columnsByFeature(specification: ModelSpecification): readonly (readonly number[])[] {
  const { spikes, cells } = modelColumns(specification)
  const columns = specification.features.map(({ type }, j) =>
    describeType(type).given ? [] : [j, ...[exposureColumn(specification, j) ?? []].flat()],
  )
  const d = columns.length
  spikes.forEach((j, i) => {
    columns[j]!.push(d + i)
  })
  cells.forEach((j, i) => {
    columns[j]!.push(d + spikes.length + i)
  })
  return columns
}
