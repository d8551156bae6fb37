import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventRecord } from '@eddy/ingest'
import { asyncValues, type EventLog } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { type FeatureVector, featureSchema, featureVectorCodec, labelCodec } from '@eddy/messages'
import { newestSnapshot } from '@eddy/model'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { type Configuration, configurationSchema, topicOptions } from '@eddy/settings'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { syntheticEvents } from '../../../test/synthetic-events.ts'
import { inspectCommand } from './commands/inspect.ts'
import { lagCommand } from './commands/lag.ts'
import { modelsCommand } from './commands/models.ts'
import { scoreCommand } from './commands/score.ts'
import { runCommand } from './testing/run-command.ts'
import { EddyUp } from './up.ts'

const features = ['x', 'y'].map(name => ({ name, type: 'number', transform: 'none', required: false }) as const)
let folder: string
let log: EventLog
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-models-'))
  log = openEmbeddedLog(join(folder, 'data'))
})
afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

const configured = (name: string): Configuration =>
  loadConfiguration(configurationSchema, {
    flags: {
      'log.directory': join(folder, 'data'),
      'model.name': name,
      'model.components': 3,
      'model.batchSize': 64,
      'model.warmUp.events': 200,
    },
  })

/** Replays so many events, of which those that are stored already are passed over, until all are learned. */
async function learn(name: string, events: number): Promise<void> {
  const input = join(folder, 'events.ndjson')
  writeFileSync(input, syntheticEvents(events, 1))
  const options = { configuration: configured(name), features, logger: createLogger('silent'), now: Date.now }
  const eddy = new EddyUp({ ...options, log, replays: true })
  await eddy.start()
  try {
    if (events > 0) await eddy.replay(input, { signal: new AbortController().signal })
    await eddy.drained()
  } finally {
    await eddy.stop()
  }
}

const learned = async (model: string): Promise<bigint> => {
  const snapshot = await newestSnapshot({ log, topic: 'eddy.snapshots.v1', model })
  return snapshot!.ledger.reduce((sum, { events }) => sum + events, 0n)
}
/** A vector as schema 1 had it: without the four bytes that stand before the length of the features. */
function asSchemaOne(vector: FeatureVector): Uint8Array {
  const bytes = Buffer.from(featureVectorCodec.encode(vector))
  bytes.writeUInt32BE(1, 1)
  const features = bytes.length - 8 * vector.features.length - 1
  return Buffer.concat([bytes.subarray(0, features - 4), bytes.subarray(features)])
}

const labelsOf = async (on: EventLog): Promise<string[]> => {
  const segments: string[] = []
  for await (const delivery of asyncValues(on.consume('eddy.labels.v1', { from: 'earliest', untilEnd: true }))) {
    for (const { value } of delivery.records) segments.push(labelCodec.decode(value as Uint8Array).segment)
    delivery.ack()
  }
  return segments
}
const end = async (topic: string): Promise<number> => (await log.offsets(`eddy.${topic}.v1`))[0]!.end

describe('several models of the same events', () => {
  it('learn each once, though each event is ingested only once', async () => {
    await learn('customers', 300)
    await learn('other', 300)
    expect(await end('features')).toBe(300)
    expect([await learned('customers'), await learned('other')]).toEqual([300n, 300n])
    await learn('customers', 500)
    await learn('other', 500)
    expect(await end('features')).toBe(500)
    expect([await learned('customers'), await learned('other')]).toEqual([500n, 500n])
  })

  it('go on where ingest was when its group had the name of a model', async () => {
    const { topics } = configured('customers')
    const publish = (count: number, seed: number) => {
      const lines = syntheticEvents(count, seed).trim().split('\n')
      return log.publish([{ topic: topics.events, records: lines.map(line => eventRecord(Buffer.from(line))) }])
    }
    await log.ensureTopics(topicOptions(configured('customers')))
    await publish(300, 1)
    const deliveries = [{ topic: topics.events, partition: 0, nextOffset: 300 }]
    await log.publish([], { settles: { group: 'customers.ingest', deliveries } })
    await publish(250, 2)
    await learn('customers', 0)
    expect(await end('features')).toBe(250)
    expect(await learned('customers')).toBe(250n)
  })

  it.each([
    ['a vector of other features', { features: Float64Array.of(1, 2, 3) }],
    [
      'a vector of a process that has the features in another order',
      { features: Float64Array.of(1, 2), schema: featureSchema(features.toReversed()).identity },
    ],
  ])('pass over %s, before and after the warm-up: it is a dead letter', async (_, other) => {
    const { topics } = configured('customers')
    await log.ensureTopics(topicOptions(configured('customers')))
    const unfit = () => {
      const value = featureVectorCodec.encode({ customer: 'c', time: 0, weight: 1, ...other })
      return log.publish([{ topic: topics.features, records: [{ key: Buffer.from('c'), value, partition: 0 }] }])
    }
    await unfit()
    await learn('customers', 300)
    await unfit()
    await learn('customers', 0)
    await learn('customers', 500)
    expect(await learned('customers')).toBe(500n)
    expect([await end('features'), await end('labels'), await end('dead-letters')]).toEqual([502, 500, 2])
    const { ledger } = (await newestSnapshot({ log, topic: topics.snapshots, model: 'customers' }))!
    expect(ledger[0]!.next).toBe(502)
    await log.close()
    const compared = await runCommand(inspectCommand, ['--ledger', '--compare', '--data-dir', join(folder, 'data')])
    log = openEmbeddedLog(join(folder, 'data'))
    expect(compared.stdout).toMatch(/ 500 .* 500 .* equal/)
  })

  it('learn vectors of the release before, which name no schema, and those of this one after them', async () => {
    const { topics } = configured('customers')
    await log.ensureTopics(topicOptions(configured('customers')))
    const lines = syntheticEvents(250, 1).trim().split('\n')
    const older = lines.map(line => {
      const { customer, features: values } = JSON.parse(line)
      return asSchemaOne({ customer, time: 0, weight: 1, features: Float64Array.of(values.x, values.y) })
    })
    const records = older.map(value => ({ key: Buffer.from('c'), value, partition: 0 }))
    await log.publish([{ topic: topics.features, records }])
    await learn('customers', 100)
    expect(await learned('customers')).toBe(350n)
    expect([await end('features'), await end('labels'), await end('dead-letters')]).toEqual([350, 350, 0])
  })

  it('are told apart by inspect and lag, which say so of a wrong name', async () => {
    await learn('customers', 300)
    await learn('other', 300)
    await log.close()
    const directory = join(folder, 'data')
    const config = join(folder, 'eddy.yaml')
    writeFileSync(config, `model: { name: other }\nlog: { directory: ${directory} }\n`)
    expect((await runCommand(inspectCommand, ['--config', config])).stdout).toMatch(/^model other,/)
    writeFileSync(config, `model: { name: othr }\nlog: { directory: ${directory} }\n`)
    const inspected = await runCommand(inspectCommand, ['--config', config])
    expect(inspected).toMatchObject({ code: 1, stderr: expect.stringContaining('one of customers, other, got othr') })
    const lagging = await runCommand(lagCommand, ['--config', config])
    expect(lagging.stderr).toContain('one of customers, other, got othr')
  })

  it('score files, as a data directory or as eddy models show prints them, with the ids of their segments', async () => {
    await learn('customers', 300)
    await log.close()
    const directory = join(folder, 'data')
    const events = join(folder, 'events.ndjson')
    const shown = join(folder, 'model.json')
    const { stdout } = await runCommand(modelsCommand, ['show', 'customers', '--data-dir', directory])
    writeFileSync(shown, stdout)
    const scored = await runCommand(scoreCommand, ['--model', shown, '--input', events])
    expect(scored.code, scored.stderr).toBe(0)
    expect(scored.stdout.trim().split('\n')).toHaveLength(300)
    expect(await runCommand(scoreCommand, ['--model', directory, '--input', events])).toEqual(scored)
    log = openEmbeddedLog(directory)
    const label = (await labelsOf(log)).at(-1)!
    expect(JSON.parse(scored.stdout.trim().split('\n').at(-1)!).segment).toBe(label)
  })

  it('are compared with the events too: an event that was ingested twice is seen', async () => {
    await learn('customers', 300)
    await log.close()
    const compare = () => runCommand(inspectCommand, ['--ledger', '--compare', '--data-dir', join(folder, 'data')])
    expect(await compare()).toMatchObject({ code: 0, stderr: '' })
    log = openEmbeddedLog(join(folder, 'data'))
    const { topics } = configured('customers')
    const value = featureVectorCodec.encode({ customer: 'c', time: 0, weight: 1, features: Float64Array.of(1, 2) })
    await log.publish([{ topic: topics.features, records: [{ key: Buffer.from('c'), value, partition: 0 }] }])
    await log.close()
    expect(await compare()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('of each of 300 events, got 301 vectors and 0 dead letters'),
    })
    log = openEmbeddedLog(join(folder, 'data'))
  })
})
