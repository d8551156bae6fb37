import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventRecord } from '@eddy/ingest'
import { type Delivery, type EventLog, LogError, logWith } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { createLogger, loadConfiguration, onAbort } from '@eddy/runtime'
import { type Configuration, configurationSchema, topicOptions } from '@eddy/settings'
import { EMPTY, filter, merge, Subject, takeUntil } from 'rxjs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { postEvents } from '../../../test/post-events.ts'
import { syntheticEvents } from '../../../test/synthetic-events.ts'
import { parseMetrics, type Sample } from './commands/top-view.ts'
import { runService, type ServiceName } from './start-services.ts'

const features = ['x', 'y'].map(name => ({ name, type: 'number', transform: 'none', required: false }) as const)
let directory: string
let configuration: Configuration
let log: EventLog
let running: Promise<void>[]
let stop: AbortController

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eddy-service-'))
  configuration = loadConfiguration(configurationSchema, {
    flags: {
      'log.directory': directory,
      'log.partitions': 2,
      'http.port': 0,
      'model.components': 3,
      'model.batchSize': 64,
      'model.maxWaitMs': 100,
      'model.warmUp.events': 500,
    },
  })
  log = openEmbeddedLog(directory)
  await log.ensureTopics(topicOptions(configuration))
  running = []
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await Promise.allSettled(running)
  await log.close()
  rmSync(directory, { recursive: true })
})

/** Starts a service on a log; resolves with a look at its metrics. */
async function start(
  name: ServiceName,
  on: EventLog = log,
  ports: Partial<Record<ServiceName, number>> = {},
): Promise<() => Promise<Sample[]>> {
  const port = await new Promise<number>((resolve, reject) => {
    const options = { name, configuration, features, log: on, logger: createLogger('silent'), now: Date.now }
    const service = runService({ ...options, signal: stop.signal, onListening: resolve })
    service.catch(reject)
    running.push(service)
  })
  ports[name] = port
  return async () => parseMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
}

async function publish(count: number, seed: number): Promise<void> {
  const lines = syntheticEvents(count, seed).trim().split('\n')
  await log.publish([
    { topic: configuration.topics.events, records: lines.map(line => eventRecord(Buffer.from(line))) },
  ])
}

const sum = (samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number =>
  samples
    .filter(
      sample => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
    )
    .reduce((total, { value }) => total + value, 0)

/** A log that, once told, hands out no more of a topic. */
function stallable(topic: string): { log: EventLog; stall: () => void } {
  let stalled = false
  const consume: EventLog['consume'] = (name, options) => {
    const deliveries = log.consume(name, options)
    return name === topic
      ? deliveries.pipe(
          filter((_: Delivery) => !stalled),
          // What it keeps back is not waited for in the end.
          takeUntil(onAbort(stop.signal)),
        )
      : deliveries
  }
  return {
    log: logWith(log, { consume }),
    stall: () => {
      stalled = true
    },
  }
}

const within = { timeout: 20_000, interval: 100 }

it('goes on after its output where the positions of its group are gone: nothing is ingested or labelled twice', async () => {
  const { topics } = configuration
  // A log that has forgotten where every group stood before it was opened; what is committed since counts.
  const forgetful = (): EventLog =>
    logWith(log, {
      positions: async () => new Map(),
      consume: (topic, { group, ...options } = {}) => {
        const from = options.from ?? (group === undefined ? 'earliest' : 'position')
        const told = async (partitions: readonly number[]) => {
          const asked = typeof from === 'function' ? await from(partitions) : from
          const begin = new Map(partitions.map(partition => [partition, 0] as const))
          return typeof asked === 'string' ? (asked === 'position' ? begin : asked) : new Map([...begin, ...asked])
        }
        return log.consume(topic, { ...options, ...(group === undefined ? { from } : { group, from: told }) })
      },
    })
  const ended = async (): Promise<number[][]> =>
    Promise.all([topics.features, topics.labels].map(async topic => (await log.offsets(topic)).map(({ end }) => end)))
  for (const name of ['ingest', 'em-worker', 'em-updater', 'scoring'] as const) await start(name)
  await publish(2000, 1)
  const sumOf = (ends: readonly number[]): number => ends.reduce((total, end) => total + end, 0)
  await vi.waitFor(async () => expect((await ended()).map(sumOf)).toEqual([2000, 2000]), within)
  const before = await ended()
  stop.abort()
  await Promise.all(running)
  stop = new AbortController()
  running = []
  const look = { ingest: await start('ingest', forgetful()), scoring: await start('scoring', forgetful()) }
  await publish(100, 2)
  await vi.waitFor(async () => {
    expect(sum(await look.ingest(), 'eddy_records_processed_total')).toBe(100)
    expect(sum(await look.scoring(), 'eddy_records_processed_total')).toBe(100)
  }, within)
  expect((await ended()).map(sumOf)).toEqual([2100, 2100])
  expect(before.map(sumOf)).toEqual([2000, 2000])
})

it('each service reports its build, its own lag and, where it makes any, what becomes of segments', async () => {
  const look = {
    ingest: await start('ingest'),
    'e-step': await start('em-worker'),
    updater: await start('em-updater'),
    scoring: await start('scoring'),
  }
  await publish(2000, 1)
  for (const [stage, metrics] of Object.entries(look)) {
    await vi.waitFor(async () => {
      const samples = await metrics()
      const lag = samples.filter(({ name }) => name === 'eddy_consumer_lag_records')
      expect(lag.map(({ labels }) => labels.stage)).toEqual(Array(stage === 'updater' ? 1 : 2).fill(stage))
      expect(sum(samples, 'eddy_consumer_lag_records')).toBe(0)
      expect(sum(samples, 'eddy_build_info')).toBe(1)
    }, within)
  }
  await vi.waitFor(async () => expect(sum(await look.scoring(), 'eddy_records_processed_total')).toBe(2000), within)
  expect(sum(await look.updater(), 'eddy_lineage_events_total', { kind: 'birth' })).toBe(3)
  expect(sum(await look.scoring(), 'eddy_lineage_events_total')).toBe(0)
})

it.each([
  ['ingest', 'ingest', 'events'],
  ['scoring', 'scoring', 'features'],
  ['em-worker', 'e-step', 'features'],
  ['em-updater', 'updater', 'statistics'],
] as const)('%s that stands still still reports that it is late', async (name, stage, topic) => {
  const faulty = stallable(configuration.topics[topic])
  const others = (['ingest', 'em-worker', 'em-updater', 'scoring'] as const).filter(other => other !== name)
  for (const other of others) await start(other)
  const metrics = await start(name, faulty.log)
  await publish(2000, 1)
  await vi.waitFor(async () => {
    const samples = await metrics()
    expect(samples.some(({ labels }) => labels.stage === stage)).toBe(true)
    expect(sum(samples, 'eddy_consumer_lag_records')).toBe(0)
  }, within)
  faulty.stall()
  await publish(1000, 2)
  await vi.waitFor(
    async () => expect(sum(await metrics(), 'eddy_consumer_lag_records', { stage })).toBeGreaterThan(0),
    within,
  )
})

it.each([
  ['ingest', 'events'],
  ['scoring', 'features'],
  ['em-worker', 'features'],
  ['em-updater', 'statistics'],
] as const)('%s whose input fails ends with that error, and no other', async (name, topic) => {
  const others = (['ingest', 'em-worker', 'em-updater', 'scoring'] as const).filter(other => other !== name)
  for (const other of others) await start(other)
  const broken = new Subject<never>()
  const consume: EventLog['consume'] = (from, options) =>
    from === configuration.topics[topic] ? merge(log.consume(from, options), broken) : log.consume(from, options)
  const metrics = await start(name, logWith(log, { consume }))
  await publish(2000, 1)
  await vi.waitFor(async () => {
    const lag = (await metrics()).filter(({ name }) => name === 'eddy_consumer_lag_records')
    expect(lag.map(({ value }) => value)).toEqual(lag.length === 1 ? [0] : [0, 0])
  }, within)
  broken.error(new LogError('the input is gone'))
  await expect(running.at(-1)).rejects.toThrow('the input is gone')
})

it('a process that holds no partition reports no lag: it stands by', async () => {
  await publish(2000, 1)
  const look = [await start('ingest'), await start('ingest'), await start('ingest')]
  await vi.waitFor(async () => {
    const partitions = await Promise.all(
      look.map(async metrics => (await metrics()).filter(({ name }) => name === 'eddy_consumer_lag_records').length),
    )
    expect(partitions.sort()).toEqual([0, 1, 1])
  }, within)
})

it('a broker that cannot be asked for a while is no reason to end', async () => {
  let away = true
  const positions: EventLog['positions'] = async (topic, group) => {
    if (away) throw new LogError('the broker is away')
    return log.positions(topic, group)
  }
  const shaky = logWith(log, { positions, consume: () => EMPTY })
  configuration = { ...configuration, log: { ...configuration.log, kind: 'kafka' } }
  await publish(10, 1)
  const metrics = await start('ingest', shaky)
  expect(sum(await metrics(), 'eddy_consumer_lag_records')).toBe(0)
  away = false
  await vi.waitFor(async () => expect(sum(await metrics(), 'eddy_consumer_lag_records')).toBe(10), within)
})

it('each service serves what belongs to it, on a log that cannot erase too', async () => {
  const { capabilities } = log
  const broker = logWith(log, { capabilities: { ...capabilities, erasure: undefined } } as object)
  const port: Record<string, number> = {}
  for (const name of ['ingest', 'em-worker', 'em-updater', 'scoring'] as const) await start(name, broker, port)
  const at = (name: ServiceName, path: string): string => `http://127.0.0.1:${port[name]}${path}`
  const segments = await fetch(at('scoring', '/v1/segments'))
  expect([segments.status, segments.headers.get('retry-after')]).toEqual([503, '1'])
  const posted = await postEvents(at('ingest', ''), syntheticEvents(2000, 1))
  expect(await posted.json()).toEqual({ accepted: 2000 })
  await vi.waitFor(async () => {
    const labels = await (await fetch(at('scoring', '/v1/labels?from=earliest&follow=false'))).text()
    expect(labels.trim().split('\n')).toHaveLength(2000)
  }, within)
  const found = (await (await fetch(at('scoring', '/v1/segments'))).json()) as { segments: unknown[] }
  expect(found.segments).toHaveLength(3)
  const erased = await fetch(at('ingest', '/v1/customers/c1'), { method: 'DELETE' })
  expect(erased.status).toBe(501)
  expect(erased.headers.get('content-type')).toMatch('application/problem+json')
  expect(await erased.json()).toMatchObject({ status: 501, detail: expect.stringContaining('docs/erasure.md') })
  expect((await fetch(at('em-worker', '/v1/segments'))).status).toBe(404)
})
