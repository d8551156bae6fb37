import { openEmbeddedLog } from '@eddy/log-embedded'
import { snapshotRecords } from '@eddy/model'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { featureRecords, warmedUp } from '../../../stepwise-em/src/testing.ts'
import { runCommand } from '../testing/run-command.ts'
import { type Stored, storedLog } from '../testing/stored.ts'
import { lagCommand } from './lag.ts'

let stored: Stored
beforeAll(async () => {
  stored = await storedLog()
  const records = (count: number) =>
    Array.from({ length: count }, () => ({ key: null, value: Uint8Array.of(1), partition: 0 }))
  await stored.publish('eddy.events.v1', records(10))
  await stored.publish('eddy.features.v1', records(8))
  await stored.publish('eddy.statistics.v1', records(3))
  const ledger = [{ partition: 0, next: 6, events: 6n, offsetsHash: 0n }]
  const snapshot = { ...(await warmedUp(featureRecords(300))), ledger, statisticsOffset: 1 }
  await stored.publish('eddy.snapshots.v1', snapshotRecords(snapshot, 900_000))
  // Scoring has labelled three of them.
  const log = openEmbeddedLog(stored.data)
  await new Promise<void>((resolve, reject) => {
    const stopping = new AbortController()
    log.consume('eddy.features.v1', { group: 'test.scoring', maxRecords: 3, signal: stopping.signal }).subscribe({
      next: delivery => {
        log.publish([], { settles: { group: 'test.scoring', deliveries: [delivery] } }).then(() => {
          stopping.abort()
          delivery.ack()
        }, reject)
      },
      complete: resolve,
      error: reject,
    })
  })
  await log.close()
})
afterAll(() => stored.remove())

const rows = [
  { stage: 'ingest', topic: 'eddy.events.v1', partition: 0, position: 0, end: 10, lag: 10 },
  { stage: 'scoring', topic: 'eddy.features.v1', partition: 0, position: 3, end: 8, lag: 5 },
  { stage: 'e-step', topic: 'eddy.features.v1', partition: 0, position: 6, end: 8, lag: 2 },
  { stage: 'updater', topic: 'eddy.statistics.v1', partition: 0, position: 1, end: 3, lag: 2 },
]

it('eddy lag shows how far each stage is behind: by its position, the E-step and the updater by the snapshot', async () => {
  const { code, stdout } = await runCommand(lagCommand, ['--config', stored.config, '--json'])
  expect(code).toBe(0)
  expect(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toEqual(rows)
})

it('eddy lag prints the same as a table', async () => {
  const { stdout } = await runCommand(lagCommand, ['--config', stored.config])
  for (const { stage, topic, position, end, lag } of rows)
    expect(stdout).toMatch(new RegExp(`${stage} +${topic} +0 +${position} +${end} +${lag}$`, 'm'))
})
