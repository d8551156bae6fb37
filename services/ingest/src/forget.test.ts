import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { featureVectorCodec, SchemaRegistry } from '@eddy/messages'
import { run } from '@eddy/runtime'
import { withRegistry } from '@eddy/settings'
import { lastValueFrom, tap, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventRecord } from './event-record.ts'

import { ingest } from './ingest.ts'
import { eraseNow } from './testing/erase-now.ts'

const topics = { events: 'events', features: 'features', labels: 'labels', deadLetters: 'dead' }
const configuration = { topics, model: { name: 'm' } } as never
const rules = [
  { name: 'x', type: 'number' },
  { name: 'tier', type: 'category', values: ['gold', 'silver', 'c1'] },
] as const

/** Names of what is stored, values of features, parts of each other, and what text and paths trip over. */
const hostile = [
  ...['customer', 'features', 'x', 'tier', 'time', 'gold', 'silver', 'null', 'true', '42', '4', 'c1', 'c11', 'c'],
  ...['..', 'a"b\\', 'ümlaut 😀', 'a, b', 'd0'.repeat(64), 'c1'.repeat(512)],
]

let folder: string
let log: EmbeddedLog
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-forget-'))
  // What is compressed would not be found in the files.
  log = openEmbeddedLog(folder, { compress: false })
  const topic = { partitions: 2, cleanup: 'delete' } as const
  await log.ensureTopics(Object.fromEntries(Object.values(topics).map(name => [name, topic])))
})
afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

/** Lines of a customer, each with a mark of its own: learnable, refused, broken off, and without a customer where one is looked for. */
const linesOf = (id: string, n: number): Buffer[] => {
  const name = JSON.stringify(id)
  return [
    `{"customer":${name},"features":{"x":1,"tier":"gold"},"ref":"«${n}.0»"}`,
    `{"ref":"«${n}.1»","customer":${name},"features":{"x":"silver","tier":"c1"}}`,
    `{"ref":"«${n}.2»","customer": ${name},"features":{"tier":"gold","x":4`,
    `{"ref":"«${n}.3»","user":{"id":${name}},"features":{"tier":"gold","x":42}}`,
    `{"ref":"«${n}.4»","features":{"tier":"silver"},"user":${name}`,
  ].map(line => Buffer.from(line))
}

async function publish(lines: readonly Buffer[]): Promise<void> {
  await log.publish([{ topic: topics.events, records: lines.map(line => eventRecord(line)) }])
  const stage = ingest({ rules, topics, maxEventBytes: 10_000 })
  const read = log.consume(topics.events, { group: 'ingest', untilEnd: true })
  await lastValueFrom(run(stage(read), { log, group: 'ingest' }), { defaultValue: undefined })
}

async function marks(): Promise<Set<string>> {
  const found = new Set<string>()
  for (const topic of Object.values(topics)) {
    const deliveries = await lastValueFrom(
      log.consume(topic, { untilEnd: true }).pipe(
        tap(delivery => delivery.ack()),
        toArray(),
      ),
    )
    for (const { records } of deliveries)
      for (const { key, value } of records) {
        const text = Buffer.from(value ?? []).toString()
        found.add(`${topic} ${/«.*?»/.exec(text)?.[0] ?? Buffer.from(key ?? []).toString()}`)
      }
  }
  return found
}

describe('forget', () => {
  it('tells ids of 64 bits apart that are one double', async () => {
    const ids = ['9007199254740992', '9007199254740993', '18446744073709551615', '18446744073709551614']
    const hmac = (id: string) => `h${id}`
    for (const coded of [undefined, hmac]) {
      const events = ids.map(id =>
        Buffer.from(`{"customer":${id},"features":{"x":1},"ref":"«${id}${coded?.('') ?? ''}»"}`),
      )
      await log.publish([{ topic: topics.events, records: events.map(event => eventRecord(event, coded)) }])
    }
    for (const id of [ids[1]!, hmac(ids[2]!)])
      await eraseNow([id], { log, configuration, features: ['x'], logger: { info() {} } as never })
    const kept = [...(await marks())].map(mark => /«(\d+h?)»/.exec(mark)![1])
    expect(kept).toEqual(expect.arrayContaining([ids[0], ids[2], ids[3], `${ids[0]}h`, `${ids[1]}h`, `${ids[3]}h`]))
    expect(kept).toHaveLength(6)
  })

  it('erases exactly what is of a customer, whatever the id', async () => {
    const ids = [...hostile, ...Array.from({ length: 50 }, (_, n) => `c${n + 12}`)]
    await publish(ids.flatMap(linesOf))
    await log.publish([
      { topic: topics.labels, records: ids.map(id => ({ key: Buffer.from(id), value: Buffer.from('customers') })) },
    ])
    let left = await marks()
    const audits: object[] = []
    for (const [n, id] of hostile.entries()) {
      const logger = { info: (line: object) => audits.push(line) } as never
      const features = rules.map(({ name }) => name)
      const forgotten = await eraseNow([id], { log, configuration, features, logger })
      expect(forgotten, id).toEqual({ events: 5, features: 1, labels: 1, dead: 4 })
      expect(audits.at(-1)).toMatchObject({ audit: 'forget', by: 'ops', customers: [id], forgotten })
      const now = await marks()
      const gone = [...left].filter(mark => !now.has(mark)).sort()
      const lines = [0, 1, 2, 3, 4].map(line => `«${n}.${line}»`)
      expect(gone, id).toEqual(
        [
          ...lines.map(mark => `events ${mark}`),
          `features ${id}`,
          `labels ${id}`,
          ...lines.slice(1).map(mark => `dead ${mark}`),
        ].sort(),
      )
      left = now
      for (const name of readdirSync(folder))
        for (const mark of lines) expect(readFileSync(join(folder, name)).includes(mark), `${mark} ${name}`).toBe(false)
    }
  })

  it('erases what came as Avro, also where it cannot be decoded', async () => {
    const features = Float64Array.of(1, 0)
    const vectors = ['bob', 'bobby', 'x'].map(customer =>
      featureVectorCodec.encode({ customer, time: 1, weight: 1, features }),
    )
    const broken = vectors.map(vector => vector.slice(0, -3))
    const records = [...vectors, ...broken].map(value => ({ key: null, value, partition: 0 }))
    await log.publish([{ topic: topics.events, records }])
    const logger = { info: () => {} } as never
    const options = { log, configuration, features: ['x', 'tier'], logger }
    expect(await eraseNow(['bob'], options)).toMatchObject({ events: 2 })
    expect(await eraseNow(['b'], options)).toMatchObject({ events: 0 })
    expect(await eraseNow(['x'], options)).toMatchObject({ events: 2 })
  })

  it('erases behind a schema registry too', async () => {
    await publish(linesOf('bob', 0))
    const registry = new SchemaRegistry({ url: 'http://127.0.0.1:9', timeoutMs: 1000 })
    const behind = withRegistry(log, registry, topics as never)
    const options = { log: behind, configuration, features: ['x', 'tier'], logger: { info() {} } }
    expect(await eraseNow(['bob'], options as never)).toMatchObject({ events: 5 })
    expect(await marks()).toEqual(new Set())
  })

  it('refuses an id that nobody can have', async () => {
    const logger = { info: () => {} } as never
    const options = { log, configuration, features: [], logger }
    for (const id of ['', 'c'.repeat(1025)])
      await expect(eraseNow([id], options)).rejects.toThrow(/^customer: expected/)
  })
})
