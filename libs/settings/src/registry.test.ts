import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog, StoredRecord } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { featureVectorCodec, SchemaRegistry, schemaIdOf } from '@eddy/messages'
import { loadConfiguration } from '@eddy/runtime'
import { lastValueFrom, tap, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RegistryServer } from '../../messages/src/testing/registry-server.ts'
import { type Configuration, configurationSchema } from './configuration.ts'
import { openLog } from './open-log.ts'
import { codecsOf, useRegistryIds, withRegistry } from './registry.ts'

const vector = { schema: 0, customer: 'ann', time: 7, weight: 1, features: Float64Array.of(1, 2) }
const builtIn = new Map<string, number>()
let nextId = 1000
let server: RegistryServer
let url: string
let directory: string
let configuration: Configuration
let log: EventLog | undefined

beforeEach(async () => {
  // Codecs keep what they learned: each test has ids of its own.
  nextId += 100
  server = new RegistryServer(nextId)
  url = await server.listen()
  directory = mkdtempSync(join(tmpdir(), 'eddy-registry-'))
  configuration = loadConfiguration(configurationSchema, {
    environment: { EDDY_REGISTRY_URL: url },
    flags: { 'log.directory': directory },
  })
  for (const [topic, codec] of codecsOf(configuration.topics)) builtIn.set(topic, builtIn.get(topic) ?? codec.id)
})
afterEach(async () => {
  await log?.close()
  log = undefined
  server.close()
  rmSync(directory, { recursive: true })
  for (const [topic, codec] of codecsOf(configuration.topics)) codec.use(builtIn.get(topic) as number)
})

/** What a codec of ours reads of the messages in the features topic, through the registry. */
async function readBack(values: readonly Uint8Array[]): Promise<readonly unknown[]> {
  const { topics } = configuration
  const topic = topics.features
  log = withRegistry(openEmbeddedLog(directory), new SchemaRegistry({ url, timeoutMs: 1000 }), topics)
  await log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'delete' } })
  await log.publish([{ topic, records: values.map(value => ({ key: null, value, partition: 0 })) }])
  const read = ({ value }: StoredRecord): unknown => {
    try {
      return featureVectorCodec.decode(value as Uint8Array)
    } catch (error) {
      return (error as Error).message
    }
  }
  const seen: unknown[] = []
  const deliveries = log.consume(topic, { untilEnd: true }).pipe(
    tap(delivery => {
      seen.push(...delivery.records.map(read))
      delivery.ack()
    }),
    toArray(),
  )
  await lastValueFrom(deliveries)
  return seen
}

/** A message with the body of ours, under another id. */
function under(id: number, message: Uint8Array, tail: readonly number[] = []): Uint8Array {
  const bytes = Buffer.concat([message, Uint8Array.from(tail)])
  bytes.writeUInt32BE(id, 1)
  return bytes
}

describe('ids', () => {
  it('come from the registry at the start, for every topic; without one they are built in', async () => {
    expect(schemaIdOf(featureVectorCodec.encode(vector))).toBe(builtIn.get(configuration.topics.features))
    log = await openLog(configuration)
    const ids = [...codecsOf(configuration.topics).values()].map(({ id }) => id)
    expect(new Set(ids).size).toBe(6)
    expect(Math.min(...ids)).toBe(nextId)
    const message = featureVectorCodec.encode(vector).slice()
    expect(schemaIdOf(message)).toBe(featureVectorCodec.id)
    server.requests.length = 0
    expect(featureVectorCodec.decode(message)).toEqual(vector)
    expect(server.requests).toEqual([])
  })

  it('are looked up where writing is not allowed, and must be there', async () => {
    server.writable = false
    await expect(openLog(configuration)).rejects.toThrow(/^eddy\.features\.v1-value: expected the built-in schema/)
    for (const [topic, { schema }] of codecsOf(configuration.topics))
      server.add(`${topic}-value`, schema as unknown as object)
    await useRegistryIds(new SchemaRegistry({ url }), configuration.topics, 'check')
    expect(featureVectorCodec.id).toBe(nextId)
    expect(server.requests.filter(line => line.endsWith('/versions'))).toHaveLength(1)
  })

  it('of an incompatible schema stop the start', async () => {
    server.incompatible.add('eddy.labels.v1-value')
    await expect(openLog(configuration)).rejects.toThrow(/eddy\.labels\.v1-value: .* got 409/)
  })
})

describe('reading', () => {
  it('resolves a schema of another writer, asked for once; messages with built-in ids stay readable', async () => {
    const { schema } = featureVectorCodec as unknown as { schema: { fields: object[] } }
    const wider = { ...schema, fields: [...schema.fields, { name: 'channel', type: 'string', default: '' }] }
    const id = server.add('other-value', wider)
    const message = featureVectorCodec.encode(vector).slice()
    await useRegistryIds(new SchemaRegistry({ url }), configuration.topics, 'register')
    server.requests.length = 0
    const theirs = under(id, message, [2, 120])
    expect(await readBack([message, theirs, theirs])).toEqual([vector, vector, vector])
    expect(server.requests).toEqual([`GET /schemas/ids/${id}`])
  })

  it('refuses an id nobody knows and a schema that does not resolve, and goes on', async () => {
    const message = featureVectorCodec.encode(vector).slice()
    const recursive = { type: 'record', name: 'R', fields: [{ name: 'next', type: ['null', 'R'] }] }
    const hostile = [recursive, { type: 'record', name: 'x y', fields: [] }, { type: 'map', values: 'long' }, {}]
    const ids = hostile.map((schema, i) => server.add(`s${i}`, schema))
    const [first, unknown, ...refused] = await readBack([message, ...[9999, ...ids].map(id => under(id, message))])
    expect(first).toEqual(vector)
    expect(unknown).toMatch(/schema id: expected .* got 9999/)
    for (const text of refused) expect(text).toMatch(/schema id: expected a schema that resolves to/)
  })

  it('asks for a few ids a delivery, the most frequent first, and for none twice', async () => {
    const { schema } = featureVectorCodec as unknown as { schema: { fields: object[] } }
    const wider = { ...schema, fields: [...schema.fields, { name: 'shop', type: 'string', default: '' }] }
    const message = featureVectorCodec.encode(vector).slice()
    const theirs = under(server.add('other-value', wider), message, [2, 120])
    const poison = Array.from({ length: 400 }, (_, i) => under(500_000 + i, message))
    const read = await readBack([...poison, theirs, ...poison, theirs, theirs])
    expect(read.filter(value => typeof value === 'string')).toHaveLength(800)
    expect(read.filter(value => typeof value === 'object')).toEqual([vector, vector, vector])
    expect(server.requests).toHaveLength(16)
    expect(new Set(server.requests).size).toBe(16)
  })

  it('stops, and refuses nothing, when the registry cannot be reached', async () => {
    const message = featureVectorCodec.encode(vector).slice()
    server.close()
    await expect(readBack([message, under(9998, message)])).rejects.toThrow(/schema 9998: expected an answer/)
  })
})
