import {
  type Block,
  createSpecification,
  type ModelSpecification,
  random,
  rowsOf,
  type Statistics,
  standardNormal,
  warmUp,
} from '@eddy/mixture'
import type { ModelOfSnapshot } from './e-step.ts'

/** Two well-separated segments in two features. */
export const specification: ModelSpecification = createSpecification({
  features: ['x', 'y'],
  components: 2,
  warmUp: { events: 200, restarts: 2, iterations: 5 },
})

/** As many events, the same at every call. */
export function featureBlock(rows: number): Block {
  const next = random(1)
  const values = new Float64Array(rows * 2)
  for (let n = 0; n < rows; n++) {
    const centre = next() < 0.4 ? 0 : 5
    values[2 * n] = centre + standardNormal(next)
    values[2 * n + 1] = centre + standardNormal(next)
  }
  return { rows, columns: 2, values }
}

/** A model learned from the first 200 of the events. */
export function warmedUp(): ModelOfSnapshot & { readonly statistics: Statistics } {
  const { parameters, learned } = warmUp(specification, rowsOf(featureBlock(200), 0, 200), undefined, random(1))
  return { specification: JSON.stringify(specification), parameters, statistics: learned.statistics }
}
