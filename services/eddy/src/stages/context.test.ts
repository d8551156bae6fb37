import { createMetrics, Health } from '@eddy/runtime'
import { expect, it } from 'vitest'
import { partitionWatch } from './context.ts'

it('a partition that another process has been given is neither waited for nor reported', async () => {
  let time = 0
  const health = new Health(() => time)
  const metrics = createMetrics()
  const onAssignment = partitionWatch({ health, metrics }, 'scoring')
  onAssignment([0, 1])
  for (const partition of [0, 1]) {
    health.progressed('scoring', partition, 10)
    metrics.lag.set({ stage: 'scoring', partition: String(partition) }, 10)
    metrics.lastProgress.set({ stage: 'scoring', partition: String(partition) }, 0)
  }
  onAssignment([1])
  time = 61_000
  expect(health.stalled).toEqual(['scoring/1'])
  const text = await metrics.registry.metrics()
  expect(text).toMatch(/eddy_consumer_lag_records\{stage="scoring",partition="1"\} 10/)
  expect(text).not.toMatch(/partition="0"/)
})
