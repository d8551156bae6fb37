import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readAll } from '@eddy/log/testing'
import { type EmbeddedLog, openEmbeddedLog } from './embedded-log.ts'

const topics = {
  input: { partitions: 2, cleanup: 'delete' },
  output: { partitions: 1, cleanup: 'delete' },
  table: { partitions: 1, cleanup: 'compact' },
} as const

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** Publishes so many rounds: events, their copies with a position, a table's row. */
export async function fill(log: EmbeddedLog, first: number, rounds: number): Promise<void> {
  for (let n = first; n < first + rounds; n++) {
    await log.publish([
      {
        topic: 'input',
        records: [0, 1].map(partition => ({
          key: bytes(`k${n}`),
          value: bytes(`event ${n}`.repeat(1 + (n % 40))),
          partition,
        })),
      },
      { topic: 'table', records: [{ key: bytes(`row ${n % 9}`), value: bytes(`${n}`) }] },
    ])
    for (const partition of [0, 1]) {
      const settles = { group: 'relay', deliveries: [{ topic: 'input', partition, nextOffset: n + 1 }] }
      await log.publish(
        [{ topic: 'output', records: [{ key: null, value: bytes(`${partition}/${n}`), partition: 0 }] }],
        { settles },
      )
    }
  }
}

/** A log as kill −9 leaves it: a part of it in the write-ahead log. */
export async function makeKilledLog(directory: string, scratch: string): Promise<void> {
  const before = openEmbeddedLog(scratch)
  await before.ensureTopics(topics)
  await fill(before, 0, 150)
  await before.maintain()
  await before.capabilities.erasure?.erase('input', ({ offset }) => offset % 17 === 3)
  await before.close()
  const log = openEmbeddedLog(scratch)
  await fill(log, 150, 50)
  copyLog(scratch, directory)
  await log.close()
}

/** Copies a log as `cp` would, but for what is only memory, and who holds it. */
export function copyLog(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true, filter: path => !/writer\.lock|-shm$/.test(path) })
}

/** Everything a log says: offsets, records, positions. */
export async function contents(log: EmbeddedLog): Promise<unknown> {
  const all = []
  for (const topic of Object.keys(topics))
    all.push({
      topic,
      offsets: await log.offsets(topic),
      records: await readAll(log, topic),
      positions: [...(await log.positions(topic, 'relay'))].sort(),
    })
  return all
}

export const filesOf = (directory: string): string[] =>
  readdirSync(directory)
    .filter(name => /^log\.(sqlite|sqlite-wal|tip)$/.test(name))
    .map(name => join(directory, name))
