import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKafkajsLog } from '@eddy/log-kafka/kafkajs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import {
  featureVectorCodec,
  type PublishedSchema,
  publishedSchemas,
  SchemaRegistry,
  schemaIdOf,
} from '../libs/messages/src/index.ts'
import { EddyProcess, eddy, temporaryFolder } from './eddy-process.ts'
import { startApicurio } from './fixtures/apicurio.ts'
import { describeWithCluster } from './fixtures/kafka.ts'
import { kcatConsume } from './fixtures/kcat.ts'
import { syntheticEvents } from './synthetic-events.ts'

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

describeWithCluster('services on Kafka with a schema registry', { brokers: 1 }, cluster => {
  const folder = temporaryFolder()
  const running: EddyProcess[] = []
  afterEach(() => Promise.all(running.splice(0).map(each => each.kill())))
  afterAll(() => folder.remove())

  it.each(['kafkajs', 'platformatic'])(
    'write under its ids, read what another writer wrote, and quarantine what nobody knows: %s',
    { timeout: 180_000 },
    async client => {
      const topic = (role: string): string => `${client}.${role}`
      const roles = ['events', 'features', 'statistics', 'snapshots', 'lineage', 'labels', 'deadLetters']
      const config = join(folder.path, `${client}.yaml`)
      writeFileSync(
        config,
        `model: { name: ${client}, components: 3, batchSize: 128, maxWaitMs: 300, warmUp: { events: 500 } }
features: [{ name: x }, { name: y }]
log: { kind: kafka, partitions: 2 }
kafka: { client: ${client}, brokers: ['${cluster().brokers.join("', '")}'] }
topics: { ${roles.map(role => `${role}: ${topic(role)}`).join(', ')} }
registry: { url: '${apicurio.url}' }
`,
      )
      const command = async (...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await eddy(...args, '--config', config)
        expect(code, stderr).toBe(0)
        return stdout
      }
      await command('topics', 'create')
      // Another writer's schema: ours, with a field more.
      const { schema } = featureVectorCodec as unknown as { schema: { fields: object[] } }
      const wider = { ...schema, fields: [...schema.fields, { name: 'channel', type: 'string', default: '' }] }
      const theirs = (await registry.register(`${topic('events')}-value`, wider as never)) as number
      const avro = (customer: string, id: number): Buffer => {
        const message = featureVectorCodec.encode({ customer, time: 1, weight: 1, features: Float64Array.of(0, 0) })
        const bytes = Buffer.concat([message, Buffer.from([2, 120])])
        bytes.writeUInt32BE(id, 1)
        return bytes
      }
      const log = openKafkajsLog({ brokers: cluster().brokers })
      const records = Array.from({ length: 50 }, (_, i) => ({
        key: null,
        partition: i % 2,
        value: avro(`avro-${i}`, i < 40 ? theirs : 77_000_000 + i),
      }))
      await log.publish([{ topic: topic('events'), records }])
      await log.close()
      const input = join(folder.path, 'events.ndjson')
      writeFileSync(input, syntheticEvents(2000))
      await command('produce', '--topic', 'events', '--input', input)

      const services = ['ingest', 'em-worker', 'em-updater', 'scoring'].map(
        service => new EddyProcess([service, '--config', config, '--port', '0']),
      )
      running.push(...services)
      await Promise.all(services.map(service => service.said(/is up/)))
      const tail = ['tail', '--topic', 'labels', '--from', 'earliest', '--limit', '2040', '--json']
      const labels = (await command(...tail))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).value.customer as string)
      expect(new Set(labels).size).toBe(2040)
      expect(labels.filter(customer => customer.startsWith('avro-'))).toHaveLength(40)
      const letters = (await command('dead-letters', 'list', '--json')).trim().split('\n')
      expect(letters.map(line => JSON.parse(line).reason)).toEqual(Array(10).fill('undecodable'))
      const codes = await Promise.all(services.map(service => service.stop('SIGTERM')))
      expect(codes).toEqual([0, 0, 0, 0])

      // Every record of ours is under the id that the registry has for its topic.
      for (const role of ['features', 'statistics', 'snapshots', 'lineage', 'labels']) {
        const subject = `${topic(role)}-value`
        const found = await kcatConsume(cluster().brokers, topic(role))
        const ids = new Set(found.map(({ value }) => schemaIdOf(value)))
        expect(found.length, role).toBeGreaterThan(0)
        expect(ids.size, role).toBe(1)
        const latest = await (await fetch(`${apicurio.url}/subjects/${subject}/versions/latest`)).json()
        expect([...ids], role).toEqual([(latest as { id: number }).id])
      }
      const ledger = (await command('inspect', '--ledger', '--compare', '--json')).trim().split('\n')
      expect(ledger.map(line => JSON.parse(line).verdict)).toEqual(['equal', 'equal'])
    },
  )
})
