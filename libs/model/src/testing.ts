import type { Snapshot } from '@eddy/messages'
import { createSpecification, random, standardNormal, warmUp } from '@eddy/mixture'

const specification = createSpecification({
  features: ['x', 'y'],
  components: 2,
  warmUp: { events: 200, restarts: 2, iterations: 5 },
})

/** The first snapshot of a model `test`, learned from 200 events of two segments; the same at every call. */
export function firstSnapshot(): Snapshot {
  const next = random(1)
  const values = Float64Array.from({ length: 400 }, (_, i) => (i % 4 < 2 ? 0 : 5) + standardNormal(next))
  const { parameters, learned } = warmUp(specification, { rows: 200, columns: 2, values }, undefined, random(1))
  return {
    model: 'test',
    version: 1n,
    step: 0n,
    createdAt: 0,
    specification: JSON.stringify(specification),
    parameters,
    statistics: learned.statistics,
    segments: ['s1', 's2'].map(id => ({ id, since: 1n })),
    ledger: [{ partition: 0, next: 200, events: 200n, offsetsHash: 17n }],
    statisticsOffset: 0,
    prequentialLogLikelihood: Number.NaN,
    effectiveSampleSize: 200,
    weight: 200,
    provisional: false,
    epoch: 1n,
    segmentsBorn: 2,
    expectedLogLikelihood: 0,
    surprise: 0,
    judgedWeight: 200,
  }
}
