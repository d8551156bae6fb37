import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { createHttpServer, createLogger, createMetrics, Guard, Health } from '@eddy/runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventsApi } from './events-api.ts'

const bodies = { maxBodyBytes: 20_000, maxBodiesBytes: 200_000, bodyTimeoutMs: 1000 }
const limits = {
  maxEventBytes: 1000,
  maxBacklogEvents: 1000,
  idempotencyHours: 24,
  maxEventsPerRequest: 100,
}
const hour = 3_600_000
let folder: string
let log: EmbeddedLog
let server: ReturnType<typeof createHttpServer>
let now: number

async function start(): Promise<void> {
  log = openEmbeddedLog(folder, { clock: () => now })
  await log.ensureTopics({ events: { partitions: 1, cleanup: 'delete' } })
  const health = new Health(() => now)
  const metrics = createMetrics()
  const http = { host: '127.0.0.1', port: 0, maxConnections: 10, ...bodies, ...limits }
  server = createHttpServer(http, { health, metrics, guard: new Guard(http, createLogger('silent')) })
  const rules = [{ name: 'x', type: 'number' }] as const
  const backlog = async () => 0
  server.register(eventsApi({ log, topic: 'events', rules, limits, backlog, metrics, health, now: () => now }))
}
async function stop(): Promise<void> {
  await server.close()
  await log.close()
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-idempotency-'))
  now = 1_000 * hour
  await start()
})
afterEach(async () => {
  await stop()
  rmSync(folder, { recursive: true })
})

const body = '{"customer":"a","features":{"x":1}}\n{"customer":"b","features":{"x":"?"}}'
async function post(key: string, payload = body) {
  const headers = { 'idempotency-key': key }
  const response = await server.inject({ method: 'POST', url: '/v1/events', payload, headers })
  return { status: response.statusCode, body: response.json(), again: response.headers['idempotency-replayed'] }
}
const stored = async (): Promise<number> => (await log.offsets('events'))[0]!.end

describe('Idempotency-Key', () => {
  it('stores once what is sent again, with the same answer, also after a restart', async () => {
    const first = await post('k1')
    expect(first).toMatchObject({ status: 200, body: { accepted: 1, refused: 1, refusals: [{ line: 2 }] } })
    expect(await post('k1')).toEqual({ ...first, again: 'true' })
    await stop()
    await start()
    expect(await post('k1')).toEqual({ ...first, again: 'true' })
    expect(await stored()).toBe(2)
    expect(await post('k2')).toEqual(first)
    expect(await stored()).toBe(4)
  })

  it('stores once what is sent several times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('k')))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(answers.filter(({ again }) => again === undefined)).toHaveLength(1)
    expect(await stored()).toBe(2)
  })

  it('refuses another body under the same key, and a key that is none', async () => {
    await post('k')
    expect(await post('k', '{"customer":"z","features":{"x":1}}')).toMatchObject({
      status: 422,
      body: { error: expect.stringContaining('expected a new key for another body') },
    })
    for (const key of [' ', 'ü', 'k'.repeat(256)]) expect(await post(key)).toMatchObject({ status: 400 })
    expect(await stored()).toBe(2)
  })

  it('forgets a key after its time, and does not remember what was refused', async () => {
    expect(await post('k', 'no json')).toMatchObject({ status: 400 })
    expect(await post('k')).toMatchObject({ status: 200, again: undefined })
    now += 23 * hour
    expect(await post('k')).toMatchObject({ again: 'true' })
    now += 2 * hour
    await log.maintain()
    expect(await post('k')).toMatchObject({ status: 200, again: undefined })
    expect(await stored()).toBe(4)
  })
})
