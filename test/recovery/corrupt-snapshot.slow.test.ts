import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { random } from '@eddy/mixture'
import { lastValueFrom, tap } from 'rxjs'
import { afterAll, describe, expect, it } from 'vitest'
import { eddy, temporaryFolder } from '../eddy-process.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const runs = Number(process.env.EDDY_RUNS ?? 20)
const folder = temporaryFolder()
afterAll(() => folder.remove())
const path = (name: string): string => join(folder.path, name)
writeFileSync(
  path('eddy.yaml'),
  'model: { name: test, components: 3, batchSize: 128, warmUp: { events: 1000 } }\nfeatures: [{ name: x }, { name: y }]\n',
)
writeFileSync(path('half.ndjson'), syntheticEvents(8000))
writeFileSync(path('rest.ndjson'), syntheticEvents(4000, 2, 8000))

const replay = (data: string, input: string) =>
  eddy(
    'up',
    '--config',
    path('eddy.yaml'),
    '--replay',
    path(input),
    '--exit-when-drained',
    '--data-dir',
    data,
    '--port',
    '0',
  )
const inspect = async (data: string) => {
  const { identity, events, version } = JSON.parse((await eddy('inspect', '--json', '--data-dir', data)).stdout)
  return { identity, events, version }
}

/** Puts damaged bytes in the place of the newest snapshot, and lets compaction drop what was there. */
async function damage(data: string, next: () => number): Promise<void> {
  const log = openEmbeddedLog(data, { tombstoneMs: 1 })
  const topic = 'eddy.snapshots.v1'
  let newest = new Uint8Array()
  const stored = log.consume(topic, { from: 'earliest', untilEnd: true }).pipe(
    tap(delivery => {
      for (const { key, value } of delivery.records)
        if (Buffer.from(key ?? []).toString() === 'test') newest = Uint8Array.from(value ?? [])
      delivery.ack()
    }),
  )
  await lastValueFrom(stored, { defaultValue: undefined })
  const damaged = newest.slice(0, Math.floor(next() * newest.length))
  await log.publish([{ topic, records: [{ key: Buffer.from('test'), value: damaged, partition: 0 }] }])
  await log.maintain()
  await log.close()
}

describe('the newest snapshot is damaged', () => {
  it(`eddy falls back on the checkpoint, says so, and ends in the same model, ${runs} times`, {
    timeout: runs * 60_000 + 60_000,
  }, async () => {
    const next = random(Number(process.env.EDDY_SEED ?? 1))
    await replay(path('half'), 'half.ndjson')
    const half = await inspect(path('half'))
    cpSync(path('half'), path('undamaged'), { recursive: true })
    await replay(path('undamaged'), 'rest.ndjson')
    const undamaged = await inspect(path('undamaged'))
    expect(undamaged.events).toBe(12_000)
    for (let run = 0; run < runs; run++) {
      const data = path(`run-${run}`)
      cpSync(path('half'), data, { recursive: true })
      await damage(data, next)
      const fallenBack = await inspect(data)
      expect(fallenBack.version).toBeLessThan(half.version)
      const resumed = await replay(data, 'rest.ndjson')
      expect(resumed.code).toBe(0)
      expect(resumed.stderr).toMatch(/snapshot test at offset \d+: /)
      expect(await inspect(data)).toMatchObject({ identity: undamaged.identity, events: 12_000 })
      rmSync(data, { recursive: true })
    }
  })
})
