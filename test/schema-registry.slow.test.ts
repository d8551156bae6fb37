import { afterAll, beforeAll, expect, it } from 'vitest'
import { type PublishedSchema, publishedSchemas, SchemaRegistry } from '../libs/messages/src/index.ts'
import { startApicurio } from './fixtures/apicurio.ts'

let apicurio: Awaited<ReturnType<typeof startApicurio>>
let registry: SchemaRegistry

beforeAll(async () => {
  apicurio = await startApicurio()
  registry = new SchemaRegistry({ url: apicurio.url })
}, 180_000)
afterAll(() => apicurio.stop())

it('a real registry gives each built-in schema an id, the same each time, and the schema back', async () => {
  for (const { subject, schema } of publishedSchemas) {
    expect(await registry.lookup(subject, schema)).toBeUndefined()
    expect(await registry.incompatibilities(subject, schema)).toEqual([])
    const id = (await registry.register(subject, schema)) as number
    expect(await registry.register(subject, schema)).toBe(id)
    expect(await registry.lookup(subject, schema)).toBe(id)
    expect(await registry.schema(id)).toEqual(schema)
  }
  expect(await registry.schema(99_999)).toBeUndefined()
})

it('a real registry refuses an incompatible schema, and we say so', async () => {
  const { subject } = publishedSchemas.at(-1) as PublishedSchema
  const response = await fetch(`${apicurio.url}/config/${encodeURIComponent(subject)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
  })
  expect(response.status).toBe(200)
  const other = { type: 'record', name: 'Other', fields: [{ name: 'x', type: 'int' }] } as never
  expect((await registry.incompatibilities(subject, other)).length).toBeGreaterThan(0)
  await expect(registry.register(subject, other)).rejects.toThrow(/got 409 .*eddy schema check/)
})
