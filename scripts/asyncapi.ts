import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TopicOptions } from '@eddy/log'
import { loadConfiguration } from '@eddy/runtime'
import { configurationSchema, topicOptions } from '@eddy/settings'

const schemas = join(import.meta.dirname, '../schemas')

interface Topic {
  readonly summary: string
  /** whose records Eddy takes, and who gets what it makes */
  readonly action: 'receive' | 'send'
  readonly key: string
}

const topics: Readonly<Record<string, Topic>> = {
  events: { summary: 'Events as producers write them.', action: 'receive', key: 'customer' },
  features: { summary: 'Validated events: what is learned and scored.', action: 'send', key: 'customer' },
  statistics: { summary: 'Statistics of ranges of offsets: the E-step.', action: 'send', key: 'model' },
  snapshots: { summary: 'Models with their ledgers, newest by key.', action: 'send', key: 'model' },
  lineage: { summary: 'Births, deaths, splits, merges and drifts of segments.', action: 'send', key: 'model' },
  labels: { summary: 'Exactly one label an event.', action: 'send', key: 'customer' },
  deadLetters: {
    summary: 'Events that were refused: their bytes, and the reason in headers of Kafka Connect.',
    action: 'send',
    key: 'as the event had it',
  },
}

const eventSchema = {
  type: 'object',
  required: ['customer'],
  properties: {
    customer: { type: ['string', 'integer'], description: 'id of the customer; the key of the record' },
    time: {
      type: ['string', 'number'],
      description: 'RFC 3339 with a zone, or milliseconds since 1970 (1973 to 2099); the time of the append if absent',
    },
    weight: { type: 'number', exclusiveMinimum: 0, description: 'default 1' },
    features: {
      type: 'object',
      description: 'value by feature name; null or absent is a missing value; may also stand flat beside customer',
      additionalProperties: { type: ['number', 'string', 'boolean', 'null'] },
    },
  },
}

const deadLetterHeaders = {
  type: 'object',
  properties: Object.fromEntries(
    ['topic', 'partition', 'offset', 'stage', 'exception.class.name', 'exception.message'].map(name => [
      `__connect.errors.${name}`,
      { type: 'string' },
    ]),
  ),
}

/** AsyncAPI 3 of the topics of the default configuration, from schemas/ and the topics' own options. */
export function asyncApi(): object {
  const configuration = loadConfiguration(configurationSchema, {})
  const options = topicOptions(configuration)
  const ids = JSON.parse(readFileSync(join(schemas, 'ids.json'), 'utf8')) as {
    subject: string
    version: number
    schema: string
  }[]
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  const channels: Record<string, object> = {}
  const operations: Record<string, object> = {}
  for (const [role, { summary, action, key }] of Object.entries(topics)) {
    const name = configuration.topics[role as keyof typeof configuration.topics]
    const published = ids.filter(({ subject }) => subject === `${name}-value`).sort((a, b) => b.version - a.version)[0]
    channels[role] = {
      address: name,
      title: name,
      summary,
      messages: {
        [role]: {
          name: role,
          ...message(role, published?.schema),
          bindings: { kafka: { key: { type: 'string', description: key } } },
        },
      },
      bindings: { kafka: topicBinding(name, options[name] as TopicOptions) },
    }
    operations[`${action}${role[0]?.toUpperCase()}${role.slice(1)}`] = {
      action,
      channel: { $ref: `#/channels/${role}` },
      summary,
      messages: [{ $ref: `#/channels/${role}/messages/${role}` }],
    }
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Eddy',
      version,
      description:
        'Topics of Eddy. Avro values have the Confluent wire format: byte 0, the schema id (4 bytes, big-endian), Avro binary.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/avro',
    channels,
    operations,
  }
}

function message(role: string, schema: string | undefined): object {
  if (role === 'events') return { contentType: 'application/json', payload: eventSchema }
  if (role === 'deadLetters')
    return { contentType: 'application/octet-stream', headers: deadLetterHeaders, payload: {} }
  if (schema === undefined) throw new Error(`${role}: expected a published schema in schemas/ids.json, got none`)
  const avro = JSON.parse(readFileSync(join(schemas, schema), 'utf8')) as object
  return { payload: { schemaFormat: 'application/vnd.apache.avro+json;version=1.9.0', schema: avro } }
}

function topicBinding(topic: string, { partitions, cleanup, retentionMs }: TopicOptions): object {
  return {
    topic,
    partitions,
    topicConfiguration: {
      'cleanup.policy': [cleanup],
      ...(retentionMs === undefined ? {} : { 'retention.ms': retentionMs }),
    },
    bindingVersion: '0.5.0',
  }
}
