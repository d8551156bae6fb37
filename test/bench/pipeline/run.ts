// One measured run in a process of its own: node -C source run.ts '{"what":"eddy","format":"avro","events":300000}'
// Prints a RunResult as JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import type { EventLog, OutgoingRecord } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { createLogger } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { EddyUp } from '../../../services/eddy/src/up.ts'
import { COMPONENTS, eventRecords, type Format, featureNames, publishEvents } from './source.ts'

export interface RunOptions {
  /** `bare`: publish, consume, publish of the same bytes. `hops`: every publication and consumption of the pipeline, copying. */
  readonly what: 'eddy' | 'bare' | 'hops'
  readonly format: Format
  readonly events: number
}

export interface RunResult {
  readonly eventsPerSecond: number
  /** a second of processor time of the whole process */
  readonly eventsPerProcessorSecond: number
  readonly residentMegabytes: number
  /** milliseconds, while under full load */
  readonly eventLoopDelayP99: number
  readonly eventLoopDelayMax: number
  /** event → label in milliseconds at `PACED` events a second; of `eddy` only */
  readonly latency?: { readonly p50: number; readonly p99: number }
}

/** Events a second while latency is measured. */
export const PACED = 10_000
const PACED_SECONDS = 3
const WARM_UP = 16_384

async function run({ what, format, events }: RunOptions): Promise<RunResult> {
  const directory = mkdtempSync(join(tmpdir(), 'eddy-bench-'))
  const log = openEmbeddedLog(directory)
  const source = eventRecords(format)
  try {
    return await (what === 'eddy'
      ? runEddy(log, directory, source, events)
      : measured(events, await relays(log, what === 'bare' ? bareHops : allHops, source)))
  } finally {
    await log.close()
    rmSync(directory, { recursive: true })
  }
}

async function measured(events: number, work: (events: number) => Promise<void>): Promise<RunResult> {
  await work(WARM_UP)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const processor = process.cpuUsage()
  const start = performance.now()
  await work(events)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(processor)
  delay.disable()
  return {
    eventsPerSecond: events / seconds,
    eventsPerProcessorSecond: events / ((user + system) / 1e6),
    residentMegabytes: process.resourceUsage().maxRSS / 1024,
    eventLoopDelayP99: delay.percentile(99) / 1e6,
    eventLoopDelayMax: delay.max / 1e6,
  }
}

/** From topic, group, to topic (or only consumed). */
type Hop = readonly [from: string, group: string, to?: string]
const bareHops: readonly Hop[] = [['events', 'relay', 'labels']]
const allHops: readonly Hop[] = [
  ['events', 'ingest', 'features'],
  ['features', 'scoring', 'labels'],
  ['features', 'e-step'],
]

/** Copies along the hops for ever; the work resolves when everything published has gone all the way. */
async function relays(
  log: EventLog,
  hops: readonly Hop[],
  source: readonly OutgoingRecord[],
): Promise<(events: number) => Promise<void>> {
  const topic = { partitions: 1, cleanup: 'delete' } as const
  await log.ensureTopics({ events: topic, features: topic, labels: topic })
  const done = hops.map(() => 0)
  let target = 0
  let arrived = Promise.withResolvers<void>()
  hops.forEach(([from, group, to], hop) => {
    log.consume(from, { group, maxRecords: 2048 }).subscribe({
      next: async delivery => {
        if (to !== undefined) {
          const records = delivery.records.map(({ key, value }) => ({ key, value, partition: 0 }))
          await log.publish([{ topic: to, records }], { settles: { group, deliveries: [delivery] } })
        }
        delivery.ack()
        done[hop]! += delivery.records.length
        if (done.every(count => count >= target)) arrived.resolve()
      },
      error: error => arrived.reject(error),
    })
  })
  return async events => {
    target += events
    arrived = Promise.withResolvers()
    await publishEvents(log, 'events', hops[0]![1], source, events)
    await arrived.promise
  }
}

async function runEddy(
  log: EventLog,
  directory: string,
  source: readonly OutgoingRecord[],
  events: number,
): Promise<RunResult> {
  const configuration = configurationSchema.parse({
    model: { components: COMPONENTS, covariance: 'full' },
    features: featureNames.map(name => ({ name })),
    log: { directory },
  })
  const { topics } = configuration
  const logger = createLogger('warn')
  const eddy = new EddyUp({ configuration, features: configuration.features!, log, logger, now: Date.now })
  try {
    await eddy.start()
    const result = await measured(events, async count => {
      await publishEvents(log, topics.events, `${topics.features}.ingest`, source, count)
      await Promise.race([eddy.drained(), eddy.failed])
    })
    return { ...result, latency: await pacedLatency(log, topics, source) }
  } finally {
    await eddy.stop()
  }
}

/** Publishes at a steady rate, a publication every 10 ms, and reads labels as a user of them would. */
async function pacedLatency(
  log: EventLog,
  topics: { readonly events: string; readonly labels: string },
  source: readonly OutgoingRecord[],
): Promise<{ p50: number; p99: number }> {
  const latencies: number[] = []
  const count = PACED * PACED_SECONDS
  const arrived = Promise.withResolvers<void>()
  const reading = log.consume(topics.labels, { from: 'latest' }).subscribe({
    next: delivery => {
      const now = Date.now()
      for (const { timestamp } of delivery.records) latencies.push(now - timestamp)
      delivery.ack()
      if (latencies.length >= count) arrived.resolve()
    },
    error: arrived.reject,
  })
  const start = performance.now()
  for (let done = 0; done < count; ) {
    await setTimeout(10)
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1000) * PACED))
    const records = Array.from({ length: due - done }, (_, i) => source[(done + i) % source.length]!)
    if (records.length > 0) await log.publish([{ topic: topics.events, records }])
    done = due
  }
  await arrived.promise
  reading.unsubscribe()
  latencies.sort((a, b) => a - b)
  const quantile = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))]!
  return { p50: quantile(0.5), p99: quantile(0.99) }
}

if (import.meta.main) console.log(JSON.stringify(await run(JSON.parse(process.argv[2]!) as RunOptions)))
