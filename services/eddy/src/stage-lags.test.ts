import { type EventLog, logWith } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { configurationSchema } from '@eddy/settings'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { standing } from './stage-lags.ts'
import { type Stored, storedLog } from './testing/stored.ts'

const configuration = configurationSchema.parse({ model: { name: 'test' } })
let stored: Stored
beforeEach(async () => {
  stored = await storedLog()
})
afterEach(() => stored.remove())

it('says where each stage stands, how many records it is behind, and what it cannot read any more', async () => {
  const records = (count: number) =>
    Array.from({ length: count }, () => ({ key: null, value: Uint8Array.of(1), partition: 0 }))
  await stored.publish('eddy.events.v1', records(1))
  await stored.publish('eddy.features.v1', records(10))
  const log = openEmbeddedLog(stored.data, { readOnly: true })
  // Retention or a torn copy has taken the first four.
  const offsets: EventLog['offsets'] = async topic =>
    (await log.offsets(topic)).map(each => (topic === 'eddy.features.v1' ? { ...each, start: 4 } : each))
  const lines = await standing(logWith(log, { offsets }), configuration, undefined)
  await log.close()
  const gone =
    '10 records behind; offsets 0 to 3 are stored no more, see `eddy skip-lost --dry-run`; there is no model yet'
  expect(lines).toEqual([
    'ingest stands at 0 of 1 in eddy.events.v1/0, 1 record behind',
    `scoring stands at 0 of 10 in eddy.features.v1/0, ${gone}`,
    `e-step stands at 0 of 10 in eddy.features.v1/0, ${gone}`,
  ])
})
