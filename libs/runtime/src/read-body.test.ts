import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { deflateSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { Guard } from './access/guard.ts'
import { Health } from './health.ts'
import { createHttpServer, listen } from './http-server.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'

const limits = { maxBodyBytes: 200_000, maxBodiesBytes: 400_000, bodyTimeoutMs: 20_000, maxConnections: 100 }

/** A server that answers with the length of what it is sent, when it may. */
async function serve(over: Partial<typeof limits> = {}) {
  const options = { host: '127.0.0.1', port: 0, ...limits, ...over }
  const metrics = createMetrics()
  const server = createHttpServer(options, {
    health: new Health(Date.now),
    metrics,
    guard: new Guard(options, createLogger('silent')),
  })
  let mayAnswer: Promise<void> = Promise.resolve()
  let working = 0
  server.post('/v1/events', async ({ body }) => {
    working++
    await mayAnswer
    return { length: (body as Buffer).length }
  })
  const port = await listen(server, options)
  const sockets: Socket[] = []
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await server.close()
  })
  /** Sends a head and some of the body. */
  const begin = (head: string, body: string) => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.write(
      `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${head}\r\n\r\n${body}`,
    )
    const answer = new Promise<string>(resolve => {
      let text = ''
      const done = (): void => resolve(text)
      socket.on('data', piece => {
        text += piece
        if (/\r\n\r\n.*\}$/s.test(text)) done()
      })
      socket.on('close', done).on('error', done)
    })
    return { socket, answer }
  }
  const post = async (body: Buffer | string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
    return { status: answer.status, retry: answer.headers.get('retry-after'), body: await answer.json() }
  }
  const held = async (): Promise<number> => {
    await metrics.registry.metrics()
    for (const update of metrics.onRead) update()
    return (await metrics.httpBodyBytes.get()).values[0]!.value
  }
  const heldIs = (bytes: number): Promise<void> => expect.poll(held, { timeout: 20_000, interval: 5 }).toBe(bytes)
  const hold = (until: Promise<void>): void => {
    mayAnswer = until
  }
  return { port, begin, post, held, heldIs, hold, working: () => working }
}

it('a body holds its memory until it is answered, and others are refused meanwhile', async () => {
  const { post, held, hold, heldIs, working } = await serve()
  const answering = Promise.withResolvers<void>()
  hold(answering.promise)
  const first = post('x'.repeat(200_000))
  await expect.poll(working).toBe(1)
  expect(await held()).toBe(200_000)
  expect(await post('x'.repeat(190_000))).toEqual({
    status: 503,
    retry: '1',
    body: { error: expect.stringContaining('http.maxBodiesBytes') },
  })
  const small = post('x')
  await expect.poll(working).toBe(2)
  answering.resolve()
  expect(await first).toMatchObject({ status: 200, body: { length: 200_000 } })
  expect((await small).status).toBe(200)
  await heldIs(0)
  expect((await post('x'.repeat(190_000))).status).toBe(200)
})

it('a body that does not end is answered 408 and gives its memory back', async () => {
  const { begin, heldIs } = await serve({ bodyTimeoutMs: 300 })
  const { answer } = begin('content-length: 1000', 'x')
  await heldIs(1000)
  expect(await answer).toMatch(/^HTTP\/1.1 408 .*connection: close.*expected its end within 0.3 s, got 1 bytes/is)
  await heldIs(0)
})

it('a client that goes away gives its memory back, before its body ended and after', async () => {
  const { begin, heldIs, hold, working } = await serve()
  const { socket } = begin('content-length: 1000', 'x')
  await heldIs(1000)
  socket.destroy()
  await heldIs(0)
  const answering = Promise.withResolvers<void>()
  hold(answering.promise)
  const whole = begin('content-length: 3', 'xyz')
  await expect.poll(working).toBe(1)
  whole.socket.destroy()
  await once(whole.socket, 'close')
  // It is still worked on.
  await heldIs(3)
  answering.resolve()
  await heldIs(0)
})

it('what can never fit is refused by its length, before it is read', async () => {
  const { begin, post, port } = await serve()
  expect(await begin('content-length: 1000000000', '').answer).toMatch(/^HTTP\/1.1 413 .*connection: close/is)
  expect(await post('x'.repeat(200_001))).toMatchObject({
    status: 413,
    body: { error: expect.stringContaining('200000') },
  })
  const chunked = request({
    port,
    host: '127.0.0.1',
    path: '/v1/events',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  for (let i = 0; i < 3; i++) chunked.write('x'.repeat(100_000))
  chunked.end()
  const [response] = await once(chunked, 'response')
  expect(response.statusCode).toBe(413)
})

it('a body of unknown length takes memory as it comes, in pieces of one byte too', async () => {
  const { begin, heldIs, held } = await serve()
  const pieces = '1\r\nx\r\n'.repeat(50_000)
  const { answer, socket } = begin('transfer-encoding: chunked', pieces)
  await expect.poll(held).toBeGreaterThanOrEqual(50_000)
  expect(await held()).toBeLessThanOrEqual(100_000)
  socket.write('0\r\n\r\n')
  expect(await answer).toContain('{"length":50000}')
  await heldIs(0)
})

it('what a body becomes when decoded counts', async () => {
  const { post, hold, heldIs, working } = await serve()
  const headers = { 'content-encoding': 'deflate' }
  const answering = Promise.withResolvers<void>()
  hold(answering.promise)
  const sent = deflateSync(Buffer.alloc(180_000))
  const first = post(sent, headers)
  await expect.poll(working).toBe(1)
  expect((await post(sent, headers)).status).toBe(503)
  answering.resolve()
  expect(await first).toMatchObject({ status: 200, body: { length: 180_000 } })
  await heldIs(0)
  expect((await post(deflateSync(Buffer.alloc(200_001)), headers)).status).toBe(413)
  expect((await post('no deflate', headers)).status).toBe(400)
  await heldIs(0)
})
