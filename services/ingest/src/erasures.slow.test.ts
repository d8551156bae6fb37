import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { asyncValues } from '@eddy/log'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { expect, it } from 'vitest'
import { Erasures } from './erasures.ts'
import { eventRecord } from './event-record.ts'

/** Events in the log: 5 million for a figure, fewer by default. */
const events = Number(process.env.EDDY_ERASE_EVENTS ?? 100_000)
const chunk = 5_000

/** Names of what is stored, values of features, parts of other ids, and what text trips over. */
const hostile = [
  ...['customer', 'features', 'x', 'tier', 'time', 'gold', 'silver', 'null', 'true', '42', '4', 'c1', 'c11', 'c'],
  ...['..', 'a"b\\', 'ümlaut 😀', 'a, b', 'd0'.repeat(64), 'c1'.repeat(512)],
]
const topics = { events: 'events', features: 'features', labels: 'labels', deadLetters: 'dead' }

/** Every 5,000th event is one of theirs, in turns; of each a fifth can be used by nobody. */
function eventOf(n: number): Buffer {
  const turn = Math.floor(n / chunk)
  const id = n % chunk === 17 ? hostile[turn % hostile.length]! : `c${n % 1_000_003}c`
  const mark = n % chunk === 17 ? `«${turn}»` : 'customer c1 x gold'
  const text = JSON.stringify({ ref: mark, customer: id, features: { x: 42, tier: 'gold' } })
  return Buffer.from(turn % 5 === 4 && n % chunk === 17 ? text.slice(0, -1) : text)
}

async function marksIn(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const name of readdirSync(folder)) {
    let rest = ''
    for await (const bytes of createReadStream(join(folder, name), { highWaterMark: 8 << 20 })) {
      const text = rest + (bytes as Buffer).toString('latin1')
      for (const [mark] of text.matchAll(/\xc2\xab\d+\xc2\xbb/g)) found.push(`${name} ${mark}`)
      rest = text.slice(-32)
    }
  }
  return found
}

/** @returns how long it took to be durable, milliseconds */
async function postTo(log: EmbeddedLog): Promise<number> {
  const began = performance.now()
  const record = eventRecord(Buffer.from('{"customer":"late","features":{"x":1}}'))
  await log.publish([{ topic: topics.events, records: [record] }])
  return performance.now() - began
}

function figuresOf(waits: readonly number[]): string {
  const sorted = waits.toSorted((a, b) => a - b)
  const share = (part: number): string => sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(1)
  return `median ${share(0.5)} ms, p99 ${share(0.99)} ms, longest ${share(1)} ms`
}

it(`erases 20 hostile ids among ${events} events: exactly theirs, and posts are answered meanwhile`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eddy-erase-slow-'))
  // As they are, so that they can be searched for.
  const log = openEmbeddedLog(folder, { compress: false })
  try {
    const topic = { partitions: 4, cleanup: 'delete' } as const
    await log.ensureTopics(Object.fromEntries(Object.values(topics).map(name => [name, topic])))
    for (let n = 0; n < events; n += chunk) {
      const records = Array.from({ length: chunk }, (_, i) => ({
        ...eventRecord(eventOf(n + i)),
        partition: (n / chunk) % 4,
      }))
      await log.publish([{ topic: topics.events, records }])
    }
    const theirs = events / chunk
    expect((await marksIn(folder)).length).toBeGreaterThanOrEqual(theirs)
    const erasures = new Erasures({
      log,
      configuration: { topics, model: { name: 'm' } } as never,
      features: ['x', 'tier'],
      logger: { info() {}, error() {} },
      now: Date.now,
      newId: () => 'e',
    })
    const alone: number[] = []
    for (let n = 0; n < 100; n++) alone.push(await postTo(log))
    const began = performance.now()
    let peak = 0
    let done = false
    await erasures.ask(hostile, 'ops')
    const settled = erasures.settled().finally(() => {
      done = true
    })
    const waits: number[] = []
    while (!done) {
      waits.push(await postTo(log))
      peak = Math.max(peak, process.memoryUsage().rss)
      await delay(5)
    }
    await settled
    const seconds = (performance.now() - began) / 1000
    expect(await erasures.find('e')).toMatchObject({ state: 'done', erased: { events: theirs } })
    let left = 0
    for await (const delivery of asyncValues(log.consume(topics.events, { untilEnd: true }))) {
      left += delivery.records.length
      delivery.ack()
    }
    expect(left).toBe(events - theirs + alone.length + waits.length)
    expect(await marksIn(folder)).toEqual([])
    console.log(
      `${events} events, ${theirs} erased in ${seconds.toFixed(1)} s, peak ${(peak / 2 ** 20).toFixed(0)} MiB; ` +
        `${waits.length} posts meanwhile: ${figuresOf(waits)}; before: ${figuresOf(alone)}`,
    )
  } finally {
    await log.close()
    rmSync(folder, { recursive: true })
  }
}, 1_500_000)
