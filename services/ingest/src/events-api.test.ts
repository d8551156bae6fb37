import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type EventLog, LogError, type OutgoingRecord } from '@eddy/log'
import { createHttpServer, createLogger, createMetrics, Guard, Health } from '@eddy/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { eventsApi } from './events-api.ts'

const bodies = { maxBodyBytes: 20_000, maxBodiesBytes: 200_000, bodyTimeoutMs: 1000 }
const limits = {
  maxEventBytes: 1000,
  maxBacklogEvents: 1000,
  idempotencyHours: 24,
  maxEventsPerRequest: 100,
}
const rules = [{ name: 'x', type: 'number' }] as const
const event = (customer: number | string, x: unknown = 1): string => JSON.stringify({ customer, features: { x } })

const servers: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** A server whose log keeps what is published, or fails with an error. */
async function serve(failure?: () => Error | undefined) {
  const stored: string[] = []
  const publish: EventLog['publish'] = async publications => {
    const error = failure?.()
    if (error) throw error
    const records: OutgoingRecord[] = publications.flatMap(({ records }) => [...records])
    stored.push(...records.map(({ value }) => Buffer.from(value!).toString()))
    return []
  }
  const health = new Health(() => 0)
  health.ready()
  const metrics = createMetrics()
  const http = { host: '127.0.0.1', port: 0, maxConnections: 10, ...bodies, ...limits }
  const server = createHttpServer(http, { health, metrics, guard: new Guard(http, createLogger('silent')) })
  server.register(
    eventsApi({
      log: {
        publish,
        capabilities: {
          pipelined: false,
          ahead: false,
          erasure: undefined,
          memory: undefined,
          room: undefined,
          identity: undefined,
          upkeep: undefined,
        },
      },
      topic: 'events',
      rules,
      limits,
      backlog: async () => 0,
      metrics,
      health,
      now: () => 7,
    }),
  )
  servers.push(server)
  const post = async (payload: string | Buffer, headers: Record<string, string> = {}) => {
    const response = await server.inject({ method: 'POST', url: '/v1/events', payload, headers })
    return { status: response.statusCode, body: response.json() }
  }
  const ready = async () => (await server.inject('/readyz')).statusCode
  return { post, ready, stored }
}

describe('POST /v1/events', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['GZIP', gzipSync],
    ['identity', (body: Buffer) => body],
    ['', gzipSync],
  ] as const)('decodes %s', async (coding, encode) => {
    const { post, stored } = await serve()
    const events = [event('a'), event('b')]
    const headers = coding === '' ? {} : { 'content-encoding': coding }
    expect(await post(encode(Buffer.from(events.join('\n'))), headers)).toEqual({ status: 200, body: { accepted: 2 } })
    expect(stored).toEqual(events)
  })

  it('decodes no more than it would take', async () => {
    const { post, stored } = await serve()
    const bomb = gzipSync(Buffer.alloc(50_000_000, '\n'))
    for (const [encode, coding] of [
      [gzipSync, 'gzip'],
      [deflateSync, 'deflate'],
      [brotliCompressSync, 'br'],
      [zstdCompressSync, 'zstd'],
    ] as const) {
      const { status, body } = await post(encode(bomb), { 'content-encoding': coding })
      expect({ coding, status }).toEqual({ coding, status: 413 })
      expect(body.error).toMatch(/body: expected at most 20000 bytes/)
    }
    expect(stored).toEqual([])
  })

  it('refuses codings that it does not know, and damaged data', async () => {
    const { post } = await serve()
    for (const coding of ['compress', 'gzip, gzip', 'constructor'])
      expect(await post(event('a'), { 'content-encoding': coding })).toMatchObject({
        status: 415,
        body: { error: expect.stringMatching(/^content-encoding: expected one of gzip, .* or none, got/) },
      })
    expect(await post(event('a'), { 'content-encoding': 'gzip' })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('body: expected gzip data, got') },
    })
    expect((await post(gzipSync(event('a')).subarray(0, 20))).status).toBe(400)
  })

  it('takes a JSON list, each event byte for byte', async () => {
    const { post, stored } = await serve()
    const odd = '{ "customer": 9007199254740993, "features": {"x": 1}, "note": "],[\\"{" }'
    expect(await post(` [${event('a')} ,\n${odd}]\n`)).toEqual({ status: 200, body: { accepted: 2 } })
    expect(stored.map(value => value.trim())).toEqual([event('a'), odd])
    for (const body of ['[]', ' [ ] ', '', '\n \n'])
      expect(await post(body)).toMatchObject({ status: 400, body: { error: expect.stringContaining('got none') } })
    for (const body of [`[${event('a')}`, `[${event('a')}] x`, '["', `[${event('a')}}`])
      expect((await post(body)).status).toBe(400)
  })

  it('names each refused event beside the number of accepted ones, and keeps it for the dead letters', async () => {
    const { post, stored } = await serve()
    const lines = [event('a'), '', 'no json', event('b', 'text'), '{"features":{"x":1}}', event('c')]
    const { status, body } = await post(lines.join('\r\n'))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      accepted: 2,
      refused: 3,
      refusals: [
        { line: 3, reason: 'undecodable', message: expect.stringContaining('expected JSON') },
        { line: 4, reason: 'wrong-type', message: 'x: expected a number, got "text"' },
        { line: 5, reason: 'missing-customer' },
      ],
    })
    expect(stored).toHaveLength(5)
    const list = await post(`[${event('a')},${event('b', 'text')},7]`)
    expect(list.body.refusals.map(({ line }: { line: number }) => line)).toEqual([2, 3])
  })

  it('answers 400 where no event can be used, stores nothing, and names twenty at most', async () => {
    const { post, stored } = await serve()
    const { status, body } = await post(Array.from({ length: 50 }, (_, i) => event(i, 'text')).join('\n'))
    expect(status).toBe(400)
    expect(body).toMatchObject({ accepted: 0, refused: 50, error: expect.stringContaining('x: expected a number') })
    expect(body.refusals).toHaveLength(20)
    expect(stored).toEqual([])
  })

  it('is not ready while nothing can be stored', async () => {
    let full = true
    const { post, ready } = await serve(() => (full ? new LogError('log: full') : undefined))
    expect(await ready()).toBe(200)
    expect(await post(event('a'))).toEqual({ status: 503, body: { error: 'log: full' } })
    expect(await ready()).toBe(503)
    full = false
    expect((await post(event('a'))).status).toBe(200)
    expect(await ready()).toBe(200)
  })

  it('takes no more events than it is to, however short they are', async () => {
    const { post, stored } = await serve()
    for (const body of ['1\n'.repeat(101), '\n'.repeat(10_000), `[${'1,'.repeat(100)}1]`])
      expect(await post(body)).toEqual({ status: 413, body: { error: expect.stringContaining('at most 100 events') } })
    expect(stored).toEqual([])
    expect((await post(Array.from({ length: 100 }, (_, n) => event(n)).join('\n'))).body).toEqual({ accepted: 100 })
  })
})
