import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type EventLog, logWith } from '@eddy/log'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { configurationSchema, type Feature } from '@eddy/settings'
import { lastValueFrom, tap, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { replay } from './replay.ts'

const configuration = configurationSchema.parse({})
const topic = configuration.topics.events
const number = { type: 'number', transform: 'none', required: false } as const
const features: readonly Feature[] = [
  { name: 'a', ...number },
  { name: 'b', ...number },
]
/** 120 events: of a file that was seen to be learned again when it had grown, was compressed, or had other ends of line. */
const csv = readFileSync(join(import.meta.dirname, '../../../test/fixtures/replay-append/events.csv'), 'utf8')
const lines = csv.trimEnd().split('\n')
const first = (events: number): string => `${lines.slice(0, events + 1).join('\n')}\n`
const asNdjson = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => {
      const [customer, a, b] = line.split(',')
      return `{"customer":"${customer}","features":{"a":${a},"b":${b}}}\n`
    })
    .join('')

let folder: string
let log: EmbeddedLog
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-replay-'))
  log = openEmbeddedLog(folder)
  await log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'delete' } })
})
afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

const run = (content: string | Uint8Array, name = 'log.csv', on: EventLog = log, options: object = {}) => {
  const { signal } = new AbortController()
  const path = join(folder, name)
  writeFileSync(path, content)
  return replay(path, { log: on, configuration, features, signal, now: Date.now, room: async () => {}, ...options })
}
const stored = async (): Promise<string[]> => {
  const deliveries = await lastValueFrom(
    log.consume(topic, { untilEnd: true }).pipe(
      tap(delivery => delivery.ack()),
      toArray(),
    ),
    { defaultValue: [] },
  )
  return deliveries.flatMap(({ records }) => records.map(({ key }) => Buffer.from(key!).toString()))
}
const customers = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => line.split(',')[0]!)

describe('a file that is replayed again', () => {
  it.each([
    ['as it is', csv],
    ['compressed', gzipSync(csv)],
    ['with other ends of line', csv.replaceAll('\n', '\r\n')],
    ['with quotes, and without its last end of line', csv.trimEnd().replaceAll(/^(c\d+)/gm, '"$1"')],
  ])('is not learned again, %s', async (_, again) => {
    expect(await run(csv)).toEqual({ skipped: 0, appended: 120 })
    expect(await run(again, 'renamed.csv')).toEqual({ skipped: 120, appended: 0 })
    expect(await stored()).toEqual(customers(csv))
  })

  it.each([
    ['CSV', 'grown.csv', (text: string) => text],
    ['NDJSON', 'grown.ndjson', asNdjson],
    ['NDJSON with CRLF', 'grown.ndjson', (text: string) => asNdjson(text).replaceAll('\n', '\r\n')],
  ])('goes on where it ended when it has grown, %s', async (_, name, form) => {
    expect(await run(form(first(100)), name)).toEqual({ skipped: 0, appended: 100 })
    expect(await run(form(csv), name)).toEqual({ skipped: 100, appended: 20 })
    expect(await run(gzipSync(form(csv)), name)).toEqual({ skipped: 120, appended: 0 })
    expect(await run(form(first(100)), name)).toEqual({ skipped: 100, appended: 0 })
    const ends = form(csv).includes('\r') ? form(csv).replaceAll('\r\n', '\n') : form(csv).replaceAll('\n', '\r\n')
    expect(await run(ends, name)).toEqual({ skipped: 120, appended: 0 })
    expect(await stored()).toEqual(customers(csv))
  })

  it('is another file where an event that was appended is another one now', async () => {
    await run(csv)
    const changed = csv.replace(lines[50]!, 'other,1,1')
    expect(await run(changed)).toEqual({ skipped: 0, appended: 120 })
    expect(await run(changed + 'new,1,1\n')).toEqual({ skipped: 120, appended: 1 })
    expect(await run(csv)).toEqual({ skipped: 120, appended: 0 })
    expect(await run(csv + 'new,2,2\n')).toEqual({ skipped: 120, appended: 1 })
    expect(await stored()).toHaveLength(242)
  })

  it('goes on after whatever was durable when the process died', async () => {
    const many = `customer,a,b\n${Array.from({ length: 30_000 }, (_, i) => `c${i},${i / 7},1`).join('\n')}\n`
    for (let failing = 1; failing <= 6; failing++) {
      let calls = 0
      const dying = logWith(log, {
        publish: (...args: Parameters<EventLog['publish']>) =>
          ++calls > failing ? Promise.reject(new Error('died')) : log.publish(...args),
      })
      await expect(run(many, 'many.csv', dying)).rejects.toThrow('died')
    }
    await run(many, 'many.csv')
    expect(await stored()).toEqual(customers(many))
  })
})

describe('what a file has that is no event', () => {
  const told = (name: string) => {
    const reasons: string[] = []
    return { reasons, onInvalid: (reason: string) => reasons.push(reason.replace(/^.*\/(?=[^/]*:)/, '')), name }
  }
  const rows = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `c${from + i},${i},${i + 1}`)
  // Longer than a batch of rows, with ragged rows in the middle, between batches and at the end.
  const ragged = [
    'customer,a,b',
    ...rows(1500),
    'short,1',
    ...rows(1500, 1500),
    'long,1,2,3',
    ...rows(10, 3000),
    'end',
  ].join('\n')

  it.each([
    ['quarantined', {}, 3013],
    ['left out where that is asked for', { skipInvalid: true }, 3010],
  ])('a ragged row is %s, named with file and line, and the others are appended', async (_, options, expected) => {
    const { reasons, onInvalid } = told('rows.csv')
    const { appended } = await run(ragged, 'rows.csv', log, { ...options, onInvalid })
    expect(appended).toBe(expected)
    expect(reasons).toEqual([
      expect.stringMatching(/^rows\.csv:1502: expected 3 cells \(customer, a, b\), got 2\./),
      expect.stringMatching(/^rows\.csv:3003: expected 3 cells \(customer, a, b\), got 4\./),
      expect.stringMatching(/^rows\.csv:3014: expected 3 cells \(customer, a, b\), got 1\./),
    ])
    // A second run appends nothing, and has nothing new to tell.
    expect(await run(`${ragged}\n`, 'rows.csv', log, { ...options, onInvalid })).toMatchObject({ appended: 0 })
    expect(reasons).toHaveLength(3)
  })

  it.each([
    ['quarantined', {}, 6],
    ['left out where that is asked for', { skipInvalid: true }, 1],
  ])('a line that is no JSON, no object, or no usable event is %s, named with file and line', async (_, options, n) => {
    const { reasons, onInvalid } = told('lines.ndjson')
    const text = [
      '{"customer":"c1","a":1}',
      '',
      '{"customer":"c2"',
      '[1]',
      '{"a":1}',
      '{"customer":"c","a":"x"}',
      'null',
    ]
    const { appended } = await run(text.join('\n'), 'lines.ndjson', log, { ...options, onInvalid })
    expect(appended).toBe(n)
    expect(reasons.map(reason => reason.split(': ')[0])).toEqual([3, 4, 5, 6, 7].map(line => `lines.ndjson:${line}`))
  })
})
