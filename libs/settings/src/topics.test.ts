import { expect, it } from 'vitest'
import { configurationSchema } from './configuration.ts'
import { topicOptions } from './topics.ts'

const hour = 3_600_000
const optionsOf = (log: object) => {
  const { topics, log: limits } = configurationSchema.parse({ features: [{ name: 'x' }], log })
  const options = topicOptions({ topics, log: limits })
  return (name: keyof typeof topics) => options[topics[name]]
}

it('compacts snapshots and keeps them for good: what a model is cannot be learned again from topics that are cut', () => {
  const of = optionsOf({ partitions: 6, retentionHours: 48 })
  expect(of('snapshots')).toEqual({ partitions: 1, cleanup: 'compact' })
})

it('cuts streams after their retention, statistics after a day at most, and lineage never', () => {
  const of = optionsOf({ partitions: 6, retentionHours: 48 })
  for (const name of ['events', 'features', 'labels', 'deadLetters'] as const)
    expect([name, of(name)]).toEqual([name, { partitions: 6, cleanup: 'delete', retentionMs: 48 * hour }])
  expect(of('statistics')).toEqual({ partitions: 1, cleanup: 'delete', retentionMs: 24 * hour })
  expect(of('lineage')).toEqual({ partitions: 1, cleanup: 'delete' })
  expect(optionsOf({ partitions: 6, retentionHours: 2 })('statistics')?.retentionMs).toBe(2 * hour)
})
