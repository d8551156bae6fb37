import type { Delivery } from '@eddy/log'
import { featureVectorCodec } from '@eddy/messages'
import { createMetrics } from '@eddy/runtime'
import { lastValueFrom, of } from 'rxjs'
import { expect, it } from 'vitest'
import { ingest } from './ingest.ts'
import { Tally } from './tally.ts'

const rules = [
  { name: 'spend', type: 'number' },
  { name: 'visits', type: 'count' },
] as const

it('counts missing values by feature, unknown keys, and refusals by reason, however an event is written', async () => {
  const values = [
    ...['{"customer":"a","features":{"spend":1,"visits":2}}', '{"customer":"a","features":{"spend":1}}'],
    ...[
      '{"customer":"a","features":{"spend":1,"vists":2}}',
      '{"customer":"a","spend":3,"vists":2,"time":1700000000000}',
    ],
    ...['{"customer":"a","features":{"spnd":1}}', 'no json', 'no json either'],
  ].map(text => Buffer.from(text))
  const features = Float64Array.of(Number.NaN, 3)
  values.push(Buffer.from(featureVectorCodec.encode({ customer: 'a', time: 1, weight: 1, features })))
  const records = values.map((value, offset) => ({ offset, key: null, value, headers: {}, timestamp: 5 }))
  const rest = { topic: 'e', partition: 0, nextOffset: 8, endOffset: 8, ack: () => {} }
  const deliveries: Delivery[] = [3, 8].map((end, i) => ({ ...rest, records: records.slice(3 * i, end) }))
  const metrics = createMetrics()
  const tally = new Tally(rules, metrics)
  const topics = { features: 'f', deadLetters: 'd' }
  await lastValueFrom(ingest({ rules, topics, maxEventBytes: 1000, tally })(of(...deliveries)))
  expect(tally.totals).toEqual({
    accepted: 5,
    missing: [
      { name: 'spend', count: 1 },
      { name: 'visits', count: 3 },
    ],
    unknownKeys: [
      { name: 'vists', count: 2 },
      { name: 'spnd', count: 1 },
    ],
    refused: [
      { reason: 'undecodable', count: 2, message: expect.stringContaining('expected JSON') },
      { reason: 'no-features', count: 1, message: expect.stringContaining('spend, visits') },
    ],
  })
  const text = await metrics.registry.metrics()
  expect(text).toContain('eddy_feature_missing_total{feature="visits"} 3')
  expect(text).toContain('eddy_unknown_keys_total 3')
  expect(text).toContain('eddy_dead_letters_total{reason="undecodable"} 2')
})

it('names a bounded number of unknown keys', () => {
  const tally = new Tally(rules)
  // The places of a list are no keys.
  tally.keysOf([1, 2])
  for (let i = 0; i < 1000; i++) tally.keysOf({ features: { [`key${i}`]: 1 } })
  expect(tally.totals.unknownKeys).toHaveLength(20)
})
