import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventRecord } from '@eddy/ingest'
import { type EventLog, logWith } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { configurationSchema, topicOptions } from '@eddy/settings'
import { filter } from 'rxjs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { eraseCustomer } from '../../../test/erase-customer.ts'
import { postEvents } from '../../../test/post-events.ts'
import { syntheticEvents } from '../../../test/synthetic-events.ts'
import { EddyUp } from './up.ts'

const features = ['x', 'y'].map(name => ({ name, type: 'number', transform: 'none', required: false }) as const)
let directory: string
let log: EventLog

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'eddy-up-'))
  log = openEmbeddedLog(directory)
})
afterEach(async () => {
  await log.close()
  rmSync(directory, { recursive: true })
})

it('ends when a stage is stuck, and is not kept by that stage', async () => {
  const configuration = loadConfiguration(configurationSchema, {
    flags: { 'log.directory': directory, 'model.components': 3, 'model.batchSize': 64, 'model.warmUp.events': 500 },
  })
  const publish = async (count: number, seed: number): Promise<void> => {
    const records = syntheticEvents(count, seed)
      .trim()
      .split('\n')
      .map(line => eventRecord(Buffer.from(line)))
    await log.publish([{ topic: configuration.topics.events, records }])
  }
  let stalled = false
  const consume: EventLog['consume'] = (topic, options) => {
    const deliveries = log.consume(topic, options)
    // Never acknowledged, and its stream does not end.
    return options?.group === 'customers.scoring' ? deliveries.pipe(filter(() => !stalled)) : deliveries
  }
  let asleep = 0
  const now = (): number => Date.now() + asleep
  const eddy = new EddyUp({
    configuration,
    features,
    log: logWith(log, { consume }),
    logger: createLogger('silent'),
    now,
  })
  await eddy.start()
  const failed = vi.fn()
  eddy.failed.catch(failed)
  await publish(1000, 1)
  await eddy.drained()
  stalled = true
  await publish(100, 2)
  const scoringLag = async (): Promise<number | undefined> =>
    (await eddy.metrics.lag.get()).values.find(({ labels }) => labels.stage === 'scoring')?.value
  await vi.waitFor(async () => expect(await scoringLag()).toBe(100), { timeout: 10_000 })
  // Longer than it takes to look at the lag of the others once more.
  await vi.waitFor(() => expect(eddy.snapshot!.ledger[0]!.events).toBe(1100n), { timeout: 10_000 })
  expect(await eddy.standing()).toEqual(['scoring stands at 1000 of 1100 in eddy.features.v1/0, 100 records behind'])
  asleep = 61_000
  await vi.waitFor(() => expect(failed).toHaveBeenCalled(), { timeout: 15_000 })
  expect((failed.mock.calls[0]![0] as Error).message).toBe(
    'expected progress, got none for a minute in scoring/0; ending so that the supervisor starts again',
  )
  await eddy.stop()
})

it('labels of an erased customer are not handed out from what readers share', async () => {
  const configuration = loadConfiguration(configurationSchema, {
    flags: { 'log.directory': directory, 'model.components': 3, 'model.warmUp.events': 100, 'http.port': 0 },
  })
  const eddy = new EddyUp({
    configuration,
    features,
    log,
    logger: createLogger('silent'),
    now: Date.now,
    http: configuration.http,
  })
  const url = `http://127.0.0.1:${await eddy.start()}`
  const labels = async (): Promise<string> => (await fetch(`${url}/v1/labels?from=earliest&follow=false`)).text()
  try {
    await postEvents(url, syntheticEvents(200, 1))
    await eddy.drained()
    const before = await labels()
    // All labels are one delivery, whose first record and end stay.
    const { customer } = JSON.parse(before.split('\n')[9]!) as { customer: string }
    expect(before).toContain(`"${customer}"`)
    expect(await eraseCustomer(url, customer)).toMatchObject({ [configuration.topics.labels]: 1 })
    expect(await labels()).not.toContain(`"${customer}"`)
  } finally {
    await eddy.stop()
  }
})

it('finishes an erasure that the process before has left', async () => {
  const configuration = loadConfiguration(configurationSchema, {
    flags: { 'log.directory': directory, 'http.port': 0 },
  })
  const { events } = configuration.topics
  await log.ensureTopics(topicOptions(configuration))
  await log.publish([
    { topic: events, records: [eventRecord(Buffer.from('{"customer":"c","features":{"x":1,"y":1}}'))] },
  ])
  const before = (await log.offsets(events)).map(({ end }) => end)
  const asked = { id: 'left', state: 'running', customers: 1, erased: {}, asked: new Date(0).toISOString() }
  const kept = { ...asked, ids: ['c'], before, by: 'ops' }
  await log.capabilities.erasure!.note('erasure/left', JSON.stringify(kept))
  const parts = { configuration, features, log, logger: createLogger('silent'), now: Date.now }
  const eddy = new EddyUp({ ...parts, http: configuration.http })
  const url = `http://127.0.0.1:${await eddy.start()}`
  try {
    await vi.waitFor(
      async () =>
        expect(await (await fetch(`${url}/v1/erasures/left`)).json()).toMatchObject({
          state: 'done',
          erased: { [events]: 1 },
        }),
      15_000,
    )
  } finally {
    await eddy.stop()
  }
})
