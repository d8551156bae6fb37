import { spawnSync } from 'node:child_process'
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type EventLog, logWith } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { configurationSchema, topicOptions } from '@eddy/settings'
import { concatMap, filter } from 'rxjs'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { parseMetrics } from '../../services/eddy/src/commands/top-view.ts'
import { runService } from '../../services/eddy/src/start-services.ts'
import { EddyUp } from '../../services/eddy/src/up.ts'
import { eventRecord } from '../../services/ingest/src/event-record.ts'
import { EddyProcess, temporaryFolder } from '../../test/eddy-process.ts'
import { postEvents } from '../../test/post-events.ts'
import { dashboards } from '../grafana/dashboards.ts'
import { dataPanels } from '../grafana/linter.ts'
import { events, type Fault, faults, type Shape } from './faults.ts'
import { freePort, hasPrometheus, Prometheus, rules, seriesIn } from './testing.ts'

/** Everything goes thirty times faster than in production: ten minutes are twenty seconds. */
const factor = 30
const folder = temporaryFolder()
afterAll(() => folder.remove())

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function configure({ model = '', http = '' }: Fault, name: string): string {
  const settings = `components: 3, batchSize: 256, maxWaitMs: 200, halfLife: 5000, warmUp: { events: 1500 }`
  const merged = Object.entries({ ...entries(settings), ...entries(model) })
  const path = join(folder.path, `${name}.yaml`)
  writeFileSync(
    path,
    `model: { ${merged.map(([key, value]) => `${key}: ${value}`).join(', ')} }\nhttp: { ${http} }\nfeatures: [{ name: x }, { name: y }]\n`,
  )
  return path
}

const entries = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/(\w+): (\{[^}]*\}|[^,]+)/g)].map(([, key, value]) => [key, value]))

/** Ten batches of 256 events a second, until aborted. */
async function feed(url: string, stream: (t: number) => Shape | undefined, signal: AbortSignal): Promise<void> {
  for (let t = 0; !signal.aborted; t++) {
    const shape = stream(t)
    if (shape !== undefined) await postEvents(url, events(256, shape)).catch(() => {})
    await delay(100, undefined, { signal }).catch(() => {})
  }
}

/** Goes on until the test ends, or what is returned is called. */
function inBackground(loop: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const stop = new AbortController()
  const done = loop(stop.signal)
  const end = (): Promise<void> => {
    stop.abort()
    return done
  }
  cleanups.push(end)
  return end
}

const feeding = (url: string, stream: (t: number) => Shape | undefined): (() => Promise<void>) =>
  inBackground(signal => feed(url, stream, signal))

/** Posts whenever fewer records than that wait in every stage, so that as many do however fast events are learned. */
async function keepBehind(url: string, records: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted)
    if ((await longestBacklog(url)) < records) await post(url, events(5000))
    else await delay(100, undefined, { signal }).catch(() => {})
}

/** Records that wait in the stage where most do. */
async function longestBacklog(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lags = parseMetrics(text).filter(({ name }) => name === 'eddy_consumer_lag_records')
  const byStage = Map.groupBy(lags, ({ labels }) => labels.stage)
  return Math.max(0, ...[...byStage.values()].map(some => some.reduce((sum, { value }) => sum + value, 0)))
}

/** Waits for the alerts, then looks on for a while: the names of all that fired meanwhile. */
async function fired(prometheus: Prometheus, alerts: readonly string[]): Promise<string[]> {
  const seen = new Set<string>()
  const patience = Date.now() + (alerts.length === 0 ? 40_000 : 90_000)
  let enough = patience
  while (Date.now() < enough) {
    for (const name of await prometheus.firing()) seen.add(name)
    if (alerts.length > 0 && alerts.every(alert => seen.has(alert)) && enough === patience) enough = Date.now() + 3000
    await delay(250)
  }
  return [...seen].sort()
}

describe.runIf(hasPrometheus())('fault × alert, seen by a real Prometheus', () => {
  it.each(faults)('$fault → $alert', { timeout: 240_000 }, async row => {
    const name = `fault-${faults.indexOf(row)}`
    const data = join(folder.path, `${name}-data`)
    const expected = [row.alert, row.also].filter(name => name !== undefined).toSorted()
    if (row.disk !== undefined) mountDisk(data, row.disk)
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const prometheus = await Prometheus.start(join(folder.path, `${name}-prometheus`), port, factor)
    cleanups.push(() => prometheus.stop())
    if (row.service !== undefined) {
      const stall = await startServices(configure(row, name), data, row.service, port)
      await delay(1000 * (row.before ?? 10))
      stall()
      expect(await fired(prometheus, expected)).toEqual(expected)
      return
    }
    if (row.alert === 'EddyPartitionStalled') {
      const stall = await startStallable(configure(row, name), data, port)
      const stop = feeding(url, () => ({}))
      await delay(1000 * (row.before ?? 10))
      stall()
      expect(await fired(prometheus, expected)).toEqual(expected)
      await stop()
      return
    }
    const start = async (): Promise<EddyProcess> => {
      const running = new EddyProcess(['up', '--config', configure(row, name), '--data-dir', data, '--port', `${port}`])
      cleanups.push(() => running.stop('SIGKILL'))
      await running.url()
      return running
    }
    let running = await start()
    const stopHealthy = feeding(url, () => ((row.before ?? 10) > 0 ? {} : undefined))
    await delay(1000 * (row.before ?? 10))
    if (row.stream !== undefined) {
      await stopHealthy()
      if (row.alert === 'EddySnapshotStale') await post(url, events(10))
      feeding(url, row.stream)
    }
    if (row.alert === 'EddyDown') await running.kill()
    if (row.alert === 'EddyStageMissing') prometheus.forgetTargets()
    if (row.alert === 'EddyCrashLoop')
      for (let n = 0; n < 4; n++) {
        await running.kill()
        running = await start()
        // Each start must have been seen; its time is rounded to seconds.
        await delay(2000)
      }
    if (row.alert === 'EddyLag') inBackground(signal => keepBehind(url, 150_000, signal))
    if (row.alert === 'EddyDiskAlmostFull') {
      const { bsize, bavail } = statfsSync(data)
      writeFileSync(join(data, 'ballast'), Buffer.alloc(bsize * bavail - Math.floor(0.05 * (row.disk as number))))
    }
    if (row.alert === undefined) await provokeEverySeries(url)
    expect(await fired(prometheus, expected)).toEqual(expected)
    if (row.alert === undefined) {
      await everySeriesExists(prometheus)
      await everyPanelHasData(prometheus)
    }
  })
})

async function post(url: string, body: string): Promise<void> {
  const response = await postEvents(url, body)
  await response.arrayBuffer()
}

/** A healthy process has a few refused events too. */
async function provokeEverySeries(url: string): Promise<void> {
  await post(url, '{"customer":"c1","features":{"x":1,"y":1}}\n{"features":{"x":1}}\n')
  const { body } = await fetch(`${url}/v1/labels?from=earliest`)
  cleanups.push(() => body?.cancel())
}

async function everySeriesExists(prometheus: Prometheus): Promise<void> {
  const missing: string[] = []
  for (const series of new Set(rules().flatMap(({ expr }) => seriesIn(expr))))
    if ((await prometheus.query(series)).length === 0) missing.push(series)
  expect(missing).toEqual([])
}

/** Every query of every dashboard, with its variables as Grafana would set them. */
async function everyPanelHasData(prometheus: Prometheus): Promise<void> {
  const empty: string[] = []
  for (const board of Object.values(dashboards))
    for (const { title, targets } of dataPanels(board))
      for (const { expr } of targets ?? []) {
        const query = expr.replaceAll('$__rate_interval', '10s').replaceAll(/\$(job|instance)/g, '.+')
        if ((await prometheus.query(query)).length === 0) empty.push(`${board.title}: ${title}: ${query}`)
      }
  expect(empty).toEqual([])
}

function mountDisk(directory: string, bytes: number): void {
  mkdirSync(directory, { recursive: true })
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
  if (status !== 0) throw new Error(`a small file system: expected to mount one (as root), got ${stderr}`)
  cleanups.push(() => spawnSync('umount', ['-l', directory]))
}

/** A log that, once told, hands a consumer group no more records. */
function stallable(log: EventLog, group: string): { readonly faulty: EventLog; readonly stall: () => void } {
  let stalled = false
  const consume: EventLog['consume'] = (topic, options) => {
    const deliveries = log.consume(topic, options)
    if (options?.group !== group) return deliveries
    return deliveries.pipe(
      concatMap(async delivery => delivery),
      filter(() => !stalled),
    )
  }
  return {
    faulty: logWith(log, { consume }),
    stall: () => {
      stalled = true
    },
  }
}

/** `eddy up` in this process on a log that, once told, hands no more records to scoring. */
async function startStallable(config: string, data: string, port: number): Promise<() => void> {
  const configuration = loadConfiguration(configurationSchema, { file: config, flags: { 'log.directory': data } })
  const log = openEmbeddedLog(data)
  const { faulty, stall } = stallable(log, `${configuration.model.name}.scoring`)
  const eddy = new EddyUp({
    configuration,
    features: configuration.features ?? [],
    log: faulty,
    logger: createLogger('silent'),
    now: Date.now,
    http: { ...configuration.http, port },
  })
  cleanups.push(async () => {
    await Promise.race([eddy.stop(), delay(1000)])
    await log.close()
  })
  await eddy.start()
  return stall
}

/** Every service by itself, fed directly; the one that is scraped gets no more records once told. */
async function startServices(
  config: string,
  data: string,
  scraped: NonNullable<Fault['service']>,
  port: number,
): Promise<() => void> {
  const configuration = loadConfiguration(configurationSchema, { file: config, flags: { 'log.directory': data } })
  const log = openEmbeddedLog(data)
  await log.ensureTopics(topicOptions(configuration))
  const stage = scraped === 'em-worker' ? 'e-step' : scraped
  const { faulty, stall } = stallable(log, `${configuration.model.name}.${stage}`)
  const stop = new AbortController()
  const running = (['ingest', 'em-worker', 'em-updater', 'scoring'] as const).map(service =>
    runService({
      name: service,
      configuration: { ...configuration, http: { ...configuration.http, port: service === scraped ? port : 0 } },
      features: configuration.features ?? [],
      log: service === scraped ? faulty : log,
      logger: createLogger('silent'),
      now: Date.now,
      signal: stop.signal,
      // One that stands still for a minute ends, as it should.
    }).catch(() => {}),
  )
  const feeding = (async () => {
    while (!stop.signal.aborted) {
      const lines = events(256).trim().split('\n')
      const records = lines.map(line => eventRecord(Buffer.from(line)))
      await log.publish([{ topic: configuration.topics.events, records }])
      await delay(100, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  cleanups.push(async () => {
    stop.abort()
    await feeding
    await Promise.race([Promise.all(running), delay(1000)])
    await log.close()
  })
  return stall
}
