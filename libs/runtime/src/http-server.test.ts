import { expect, it, onTestFinished } from 'vitest'
import { Guard } from './access/guard.ts'
import { Health } from './health.ts'
import { createHttpServer, type HttpOptions, listen } from './http-server.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'

const http = {
  host: '127.0.0.1',
  port: 0,
  maxBodyBytes: 1024,
  maxBodiesBytes: 4096,
  bodyTimeoutMs: 1000,
  maxConnections: 8,
}

function server(options: HttpOptions = http, health = new Health(Date.now)) {
  const guard = new Guard(options, createLogger('silent'))
  const made = createHttpServer(options, { health, metrics: createMetrics(), guard })
  onTestFinished(() => made.close())
  return made
}

it('a default port that is taken gives way to a free one; a chosen one does not', async () => {
  const port = await listen(server(), http)
  const moved = server()
  const other = await listen(moved, { ...http, port, mayMove: true })
  expect(other).not.toBe(port)
  expect((await fetch(`http://127.0.0.1:${other}/livez`)).status).toBe(200)
  await expect(listen(server(), { ...http, port })).rejects.toThrow(
    `http.port: expected a free port, got ${port} which another process uses`,
  )
})

it('asks for the token everywhere but where it is asked whether it lives and is ready', async () => {
  const made = server({ ...http, token: 'swordfish' })
  const status = async (url: string, authorization?: string): Promise<number> =>
    (await made.inject({ url, headers: authorization === undefined ? {} : { authorization } })).statusCode
  expect(await status('/livez')).toBe(200)
  for (const url of ['/metrics', '/livez?x', '/livezz', '/readyz?x', '/readyz/', '/no/such/route']) {
    expect([url, await status(url)]).toEqual([url, 401])
    for (const wrong of ['swordfish', 'Bearer swordfis', 'Bearer swordfish ', 'Basic swordfish', 'Bearer '])
      expect([url, wrong, await status(url, wrong)]).toEqual([url, wrong, 401])
  }
  expect(await status('/metrics', 'Bearer swordfish')).toBe(200)
})

it('says to everybody whether it is ready, and why not only to who has the token', async () => {
  const health = new Health(Date.now)
  const made = server({ ...http, token: 'swordfish' }, health)
  health.unready('log: full')
  const ask = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization }
    const { statusCode, body } = await made.inject({ url: '/readyz', headers })
    return [statusCode, JSON.parse(body)]
  }
  for (const stranger of [undefined, 'Bearer salmon'])
    expect(await ask(stranger)).toEqual([503, { status: 'not ready' }])
  expect(await ask('Bearer swordfish')).toEqual([503, { status: 'not ready', reason: 'log: full' }])
  health.ready()
  expect(await ask()).toEqual([200, { status: 'ready' }])
})
