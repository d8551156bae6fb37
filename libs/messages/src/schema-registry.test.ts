import { afterEach, beforeEach, expect, it } from 'vitest'
import { labelCodec } from './label.ts'
import { RegistryError, SchemaRegistry } from './schema-registry.ts'
import { RegistryServer } from './testing/registry-server.ts'

const subject = 'eddy.labels.v1-value'
const { schema } = labelCodec
let server: RegistryServer
let url: string

beforeEach(async () => {
  server = new RegistryServer()
  url = await server.listen()
})
afterEach(() => server.close())

it('registers, looks up and fetches by id; each id is asked for once, also an absent one', async () => {
  const registry = new SchemaRegistry({ url: `${url}/` })
  expect(await registry.lookup(subject, schema)).toBeUndefined()
  expect(await registry.register(subject, schema)).toBe(100)
  expect(await registry.lookup(subject, schema)).toBe(100)
  server.requests.length = 0
  for (let i = 0; i < 3; i++) {
    expect(await registry.schema(100)).toEqual(schema)
    expect(await registry.schema(999)).toBeUndefined()
    expect(await registry.schema(0xffff_ffff)).toBeUndefined()
  }
  expect(server.requests).toEqual(['GET /schemas/ids/100', 'GET /schemas/ids/999'])
})

it('keeps no more schemas than it may', async () => {
  const registry = new SchemaRegistry({ url, cacheSize: 2 })
  for (const id of [1, 2, 3, 3, 1]) await registry.schema(id)
  expect(server.requests.map(line => line.split('/').at(-1))).toEqual(['1', '2', '3', '1'])
})

it('tells an incompatible subject, and that it may not write', async () => {
  const registry = new SchemaRegistry({ url })
  expect(await registry.incompatibilities(subject, schema)).toEqual([])
  server.incompatible.add(subject)
  expect(await registry.incompatibilities(subject, schema)).toEqual(['reader misses a default'])
  await expect(registry.register(subject, schema)).rejects.toThrow(
    /^eddy\.labels\.v1-value: expected .* got 409 reader misses a default\. Run `eddy schema check`/,
  )
  server.writable = false
  expect(await registry.register(subject, schema)).toBeUndefined()
})

it('sends basic authentication, and never shows it', async () => {
  server.credentials = 'eddy:s3cret'
  const good = new SchemaRegistry({ url, username: 'eddy', password: 's3cret' })
  expect(await good.register(subject, schema)).toBe(100)
  const bad = new SchemaRegistry({ url, username: 'eddy', password: 'wr0ng' })
  const error = await bad.register(subject, schema).catch((thrown: Error) => thrown)
  expect(String(error)).toMatch(/got 401 Unauthorized\. Check registry\.username/)
  expect(String(error)).not.toMatch(/wr0ng/)
})

it('says so when nobody answers', async () => {
  server.close()
  await expect(new SchemaRegistry({ url }).schema(1)).rejects.toThrow(
    /^schema 1: expected an answer of the registry http:.*, got ECONNREFUSED\. Is it up/,
  )
})

it('asks again after a 503', async () => {
  server.hostile = (_request, response) => {
    server.hostile = undefined
    response.writeHead(503).end('starting')
  }
  expect(await new SchemaRegistry({ url }).register(subject, schema)).toBe(100)
})

const answer =
  (body: string, status = 200): RegistryServer['hostile'] =>
  (_request, response) =>
    void response.writeHead(status).end(body)

it.each([
  ['no JSON', answer('<html>'), /expected a JSON object .* got <html>/],
  ['no schema', answer('{}'), /expected a schema as JSON text/],
  ['a schema that is no JSON', answer('{"schema":"{"}'), /expected a schema as JSON text/],
  ['null', answer('null'), /expected a JSON object/],
  ['an odd status', answer('teapot', 418), /got 418 teapot/],
  ['a server error', answer('{"message":"broken"}', 500), /got 500 broken/],
  [
    'a redirect, which would carry the password away',
    (_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    /expected an answer of the registry/,
  ],
  [
    'more bytes than it reads',
    (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
    /expected at most 1048576 bytes/,
  ],
  ['nothing, for ever', () => undefined, /got .*timeout/],
] as readonly (readonly [string, RegistryServer['hostile'], RegExp])[])(
  'refuses %s',
  async (_name, hostile, message) => {
    server.hostile = hostile
    const registry = new SchemaRegistry({ url, timeoutMs: 2000 })
    const error = await registry.schema(1).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(RegistryError)
    expect(String(error)).toMatch(message)
  },
)

it.each(['{}', '{"id":"7"}', '{"id":0}', '{"id":4294967296}', '{"id":1.5}'])('refuses %s as an id', async body => {
  server.hostile = answer(body)
  await expect(new SchemaRegistry({ url }).register(subject, schema)).rejects.toThrow(/expected an id of 1/)
})
