import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify from 'fastify'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Access, type AccessOptions } from './access.ts'
import { Guard } from './guard.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-guard-'))
afterAll(() => rmSync(folder, { recursive: true }))
const tokensFile = join(folder, 'tokens')
const tokens = { shop: 's'.repeat(16), crm: 'r'.repeat(16), ops: 'o'.repeat(16), scrape: 'p'.repeat(16) }
writeFileSync(
  tokensFile,
  `shop produce ${tokens.shop}\ncrm read ${tokens.crm}\nops read,operate ${tokens.ops}\nscrape - ${tokens.scrape}\n`,
  { mode: 0o600 },
)

/** A server with one route of each kind, that tells who asks. */
function serve(options: AccessOptions, now = (): number => 0) {
  const warn = vi.fn()
  const guard = new Guard({ host: '127.0.0.1', ...options }, { warn }, now)
  const server = fastify()
  onTestFinished(() => server.close())
  guard.protect(server)
  for (const url of ['/livez', '/metrics', '/v1/labels']) server.get(url, request => request.client.name)
  server.post('/v1/events', request => request.client.name)
  server.delete('/v1/customers/:customer', request => request.client.name)
  const ask = async (method: 'GET' | 'HEAD' | 'POST' | 'DELETE', url: string, token?: string, scheme = 'Bearer') => {
    const headers = token === undefined ? {} : { authorization: `${scheme} ${token}` }
    const response = await server.inject({ method, url, headers })
    return { status: response.statusCode, challenge: response.headers['www-authenticate'], body: response.body }
  }
  return { server, guard, ask, warn, told: () => warn.mock.calls.map(([line]) => line as object) }
}

describe('a request', () => {
  it('without a token, or with one that is unknown, is answered 401 and told what would be let in', async () => {
    const { ask } = serve({ tokensFile })
    expect(await ask('POST', '/v1/events')).toMatchObject({
      status: 401,
      challenge: 'Bearer realm="eddy", scope="produce"',
    })
    expect(await ask('GET', '/metrics')).toMatchObject({ status: 401, challenge: 'Bearer realm="eddy"' })
    expect(await ask('GET', '/v1/labels', 'x'.repeat(16))).toMatchObject({
      status: 401,
      challenge: 'Bearer realm="eddy", error="invalid_token", scope="read"',
    })
    expect(await ask('GET', '/v1/labels', tokens.crm, 'Basic')).toMatchObject({ status: 401 })
    expect(await ask('GET', '/v1/labels', tokens.crm, 'bEARER')).toMatchObject({ status: 200, body: 'crm' })
    expect(await ask('GET', '/none')).toMatchObject({ status: 401 })
    expect(await ask('GET', '/none', tokens.scrape)).toMatchObject({ status: 404 })
    expect(await ask('GET', '/livez')).toMatchObject({ status: 200, body: 'a stranger' })
    expect(await ask('GET', '/livez', tokens.crm)).toMatchObject({ status: 200, body: 'crm' })
  })

  it('whose token may not do it is answered 403 and told which scope it needs', async () => {
    const { ask } = serve({ tokensFile })
    expect(await ask('DELETE', '/v1/customers/c', tokens.shop)).toEqual({
      status: 403,
      challenge: 'Bearer realm="eddy", error="insufficient_scope", scope="operate"',
      body: '{"error":"scope: expected a client that may operate, got shop, which may produce"}',
    })
    expect(await ask('HEAD', '/v1/labels', tokens.shop)).toMatchObject({ status: 403 })
    expect(await ask('GET', '/metrics', tokens.scrape)).toMatchObject({ status: 200, body: 'scrape' })
    expect(await ask('GET', '/v1/labels', tokens.scrape)).toMatchObject({ status: 403 })
  })

  it('may do everything with the one token, beside others, and where nothing is asked of anybody', async () => {
    const one = serve({ token: 'swordfish-swordfish', tokensFile })
    const open = serve({})
    for (const [method, url] of [
      ['POST', '/v1/events'],
      ['GET', '/v1/labels'],
      ['DELETE', '/v1/customers/c'],
    ] as const) {
      expect(await one.ask(method, url, 'swordfish-swordfish')).toMatchObject({ status: 200, body: 'http.token' })
      expect(await open.ask(method, url)).toMatchObject({ status: 200, body: 'anybody' })
    }
    expect(await one.ask('POST', '/v1/events', tokens.shop)).toMatchObject({ status: 200, body: 'shop' })
  })
})

it('with the token of metrics is let in there alone', async () => {
  const { ask } = serve({ token: 'swordfish-swordfish', metricsToken: 'barracuda-barracuda' })
  expect(await ask('GET', '/metrics', 'barracuda-barracuda')).toMatchObject({ status: 200, body: 'http.metricsToken' })
  for (const url of ['/v1/labels', '/v1/events'] as const)
    expect(await ask(url === '/v1/events' ? 'POST' : 'GET', url, 'barracuda-barracuda')).toMatchObject({ status: 403 })
})

describe('a route that the table does not name', () => {
  it('cannot be added', () => {
    const { server } = serve({})
    expect(() => server.get('/v1/secrets', () => '')).toThrow(
      'GET /v1/secrets: expected a line in the table of what routes need',
    )
    expect(() => server.put('/v1/events', () => '')).toThrow('PUT /v1/events: expected')
  })
})

describe('what is denied', () => {
  it('is told by name, without ids', async () => {
    const { ask, told } = serve({ tokensFile })
    await ask('DELETE', '/v1/customers/alice', tokens.shop)
    await ask('DELETE', '/v1/customers/alice')
    await ask('GET', '/metrics', tokens.scrape)
    const erasure = { audit: 'denied', method: 'DELETE', route: '/v1/customers/:customer', from: '127.0.0.1' }
    expect(told()).toEqual([
      { ...erasure, status: 403, by: 'shop', reason: expect.stringMatching(/may operate, got shop/) },
      { ...erasure, status: 401, by: 'unknown', reason: expect.stringMatching(/bearer token/) },
    ])
    expect(JSON.stringify(told())).not.toContain('alice')
  })

  it('is told once a second of each kind, with how many were left out', async () => {
    let now = 0
    const { ask, told } = serve({ tokensFile }, () => now)
    for (let n = 0; n < 100; n++) await ask('GET', '/v1/labels')
    await ask('GET', '/v1/labels', tokens.shop)
    expect(told()).toHaveLength(2)
    now = 1000
    await ask('GET', '/v1/labels')
    await ask('GET', '/v1/labels', tokens.shop)
    expect(told().slice(2)).toMatchObject([{ status: 401, unsaid: 99 }, { status: 403 }])
    expect(told()[3]).not.toHaveProperty('unsaid')
  })
})

describe('certificates', () => {
  const names = { name: 'shop.internal', scopes: ['produce'] } as const
  const access = (options: AccessOptions = {}): Access =>
    new Access({ tls: { clientCa: 'ca.pem', clients: [names, { name: 'ops', scopes: ['operate'] }] }, ...options })

  it('may what one of their names may', () => {
    const judge = (certificate?: string[]) => access().judge('produce', { authorization: undefined, certificate })
    expect(judge(['CN', 'shop.internal'])).toEqual({ name: 'shop.internal', scopes: new Set(['produce']) })
    expect(judge(['ops', 'shop.internal'])).toEqual({ name: 'ops', scopes: new Set(['operate', 'produce']) })
    expect(judge()).toMatchObject({ status: 401, error: expect.stringContaining('expected a client certificate') })
    expect(judge(['ops'])).toMatchObject({ status: 403, by: 'ops' })
    // Literally: nobody is let in by a wildcard.
    for (const stranger of [[], ['*.internal'], ['shop'], ['SHOP.INTERNAL']])
      expect(judge(stranger)).toMatchObject({ status: 403, error: expect.stringContaining('http.tls.clients') })
    expect(access().judge('known', { authorization: undefined, certificate: ['shop'] })).toMatchObject({ status: 403 })
  })

  it('of the authority may everything where no name is given', () => {
    const any = access({ tls: { clientCa: 'ca.pem' } })
    expect(any.judge('operate', { authorization: undefined, certificate: ['x'] })).toMatchObject({ name: 'x' })
    expect(any.judge('operate', { authorization: undefined, certificate: undefined })).toMatchObject({ status: 401 })
  })

  it('beside tokens: both are needed, and what both allow', () => {
    const two = access({ tokensFile })
    const judge = (token: keyof typeof tokens, certificate: string[] | undefined, need: 'produce' | 'operate') =>
      two.judge(need, { authorization: `Bearer ${tokens[token]}`, certificate })
    expect(judge('shop', ['shop.internal'], 'produce')).toMatchObject({ name: 'shop, shop.internal' })
    expect(judge('ops', ['ops'], 'operate')).toMatchObject({ name: 'ops, ops' })
    expect(judge('ops', ['shop.internal'], 'operate')).toMatchObject({ status: 403 })
    expect(judge('shop', undefined, 'produce')).toMatchObject({ status: 401 })
    expect(two.judge('produce', { authorization: undefined, certificate: ['shop.internal'] })).toMatchObject({
      status: 401,
    })
  })
})

describe('new tokens', () => {
  it('hold from the next request on', async () => {
    const { ask, guard } = serve({ tokensFile })
    guard.replace(new Access({ token: 'another-swordfish' }))
    expect(await ask('GET', '/v1/labels', tokens.crm)).toMatchObject({ status: 401 })
    expect(await ask('GET', '/v1/labels', 'another-swordfish')).toMatchObject({ status: 200 })
  })
})
