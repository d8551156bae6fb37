import { eventRecord } from '@eddy/ingest'
import type { EventLog } from '@eddy/log'
import { newestSnapshot } from '@eddy/model'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { type Configuration, configurationSchema, openLog, topicOptions } from '@eddy/settings'
import kafkajs from 'kafkajs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeWithKafka } from '../../../test/fixtures/kafka.ts'
import { syntheticEvents } from '../../../test/synthetic-events.ts'
import { runService, type ServiceName } from './start-services.ts'

const features = ['x', 'y'].map(name => ({ name, type: 'number', transform: 'none', required: false }) as const)
const all = ['ingest', 'em-worker', 'em-updater', 'scoring'] as const
const partitions = 2

describeWithKafka('records that are gone before a stage has read them', kafka => {
  let configuration: Configuration
  let log: EventLog
  let stopping: AbortController
  let running: Promise<void>[]
  let run = 0
  const configure = (flags: Record<string, unknown> = {}): Configuration => {
    const topics = Object.keys(configuration?.topics ?? {}).length > 0 ? configuration.topics : undefined
    return loadConfiguration(configurationSchema, {
      environment: {},
      flags: {
        'log.kind': 'kafka',
        'kafka.brokers': [...kafka().brokers],
        'log.partitions': partitions,
        'http.port': 0,
        'model.components': 3,
        'model.batchSize': 64,
        'model.maxWaitMs': 100,
        'model.warmUp.events': 400,
        ...Object.fromEntries(Object.entries(topics ?? {}).map(([role, name]) => [`topics.${role}`, name])),
        ...flags,
      },
    })
  }
  const start = (names: readonly ServiceName[], as = configuration): void => {
    for (const name of names)
      running.push(
        runService({
          name,
          configuration: as,
          features,
          log,
          logger: createLogger('silent'),
          now: Date.now,
          signal: stopping.signal,
        }),
      )
  }
  const stop = async (): Promise<void> => {
    stopping.abort()
    await Promise.all(running)
    await log.close()
    stopping = new AbortController()
    running = []
    log = await openLog(configuration)
  }
  const publish = (count: number, seed: number): Promise<unknown> => {
    const lines = syntheticEvents(count, seed, 10_000 * seed)
      .trim()
      .split('\n')
    const records = lines.map((line, i) => ({ ...eventRecord(Buffer.from(line)), partition: i % partitions }))
    return log.publish([{ topic: configuration.topics.events, records }])
  }
  const ledger = async (as = configuration) =>
    (await newestSnapshot({ log, topic: as.topics.snapshots, model: as.model.name }))?.ledger ?? []
  const eventsOf = async (as = configuration): Promise<number> =>
    (await ledger(as)).reduce((sum, { events }) => sum + Number(events), 0)
  /** So many events are learned, while all services go on. */
  const learned = async (events: number, as = configuration): Promise<void> => {
    const ended = Promise.race(running).then(() => Promise.reject(new Error('a service has ended')))
    const done = expect.poll(() => eventsOf(as), { timeout: 30_000 }).toBe(events)
    await Promise.race([done, ended])
  }
  const dropAll = async (topic: string): Promise<void> => {
    const admin = new kafkajs.Kafka({ brokers: [...kafka().brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      const ends = await log.offsets(topic)
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({
        topic,
        partitions: ends.map(({ partition, end }) => ({ partition, offset: String(end) })),
      })
    } finally {
      await admin.disconnect()
    }
  }

  beforeEach(async () => {
    stopping = new AbortController()
    running = []
    configuration = configure({
      'model.name': `gaps-${process.pid}-${++run}`,
      ...Object.fromEntries(
        ['events', 'features', 'statistics', 'snapshots', 'lineage', 'labels', 'deadLetters'].map(role => [
          `topics.${role}`,
          `gaps.${process.pid}.${run}.${role}`,
        ]),
      ),
    })
    log = await openLog(configuration)
    await log.ensureTopics(topicOptions(configuration))
    await publish(1000, 1)
    start(all)
    await learned(1000)
    await stop()
  })
  afterEach(async () => {
    stopping.abort()
    await Promise.allSettled(running)
    await log.close()
  })

  it.each([
    ['ingest', 'events', [], 1200, 0],
    ['scoring', 'features', ['ingest', 'em-worker', 'em-updater'], 1800, 0],
    ['em-worker', 'features', ['ingest', 'scoring'], 1200, 600],
  ] as const)(
    'end %s with their names, or are skipped where that is asked for',
    async (service, role, others, total, gone) => {
      await publish(600, 2)
      if (others.length > 0) {
        const stored = async (): Promise<number> =>
          (await log.offsets(configuration.topics.features)).reduce((sum, { end }) => sum + end, 0)
        const before = await stored()
        start(others)
        await expect.poll(stored, { timeout: 30_000 }).toBeGreaterThanOrEqual(before + 600)
        if (service === 'scoring') await learned(1600)
        await stop()
      }
      await dropAll(configuration.topics[role])
      await publish(200, 3)
      if (role === 'features') start(['ingest'])
      start([service])
      await expect(running.at(-1)).rejects.toThrow(/expected \d+ to \d+, got \d+.*--on-gap skip/)
      running.pop()
      await stop()

      start(all, configure({ 'model.name': configuration.model.name, 'log.onGap': 'skip' }))
      await learned(total)
      // Markers of transactions have offsets too.
      const skipped = (await ledger()).reduce((sum, entry) => sum + (entry.skipped ?? 0), 0)
      expect(skipped).toBeGreaterThanOrEqual(gone)
      expect(skipped).toBeLessThanOrEqual(gone === 0 ? 0 : gone + 50)
      await stop()
    },
    90_000,
  )

  it('of statistics are made again, without a word from anybody', async () => {
    // As over a weekend without an updater.
    const stored = async (): Promise<number> => (await log.offsets(configuration.topics.statistics))[0]!.end
    const before = await stored()
    await publish(200, 2)
    start(['ingest', 'em-worker'])
    await expect.poll(stored, { timeout: 30_000 }).toBeGreaterThan(before)
    await stop()
    await dropAll(configuration.topics.statistics)
    start(all)
    await learned(1200)
  }, 60_000)

  it('are nothing to a model that begins after them', async () => {
    await dropAll(configuration.topics.features)
    await dropAll(configuration.topics.statistics)
    const second = configure({ 'model.name': `${configuration.model.name}-second` })
    await publish(800, 2)
    start(['ingest'])
    start(['em-worker', 'em-updater', 'scoring'], second)
    await learned(800, second)
    expect((await ledger(second)).every(({ skipped = 0 }) => skipped === 0)).toBe(true)
  }, 60_000)
})
