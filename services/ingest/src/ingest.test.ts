import { createHmac } from 'node:crypto'
import type { Delivery, StoredRecord } from '@eddy/log'
import { deadLetterFrom, FeaturesReader, featureSchema, featureVectorCodec } from '@eddy/messages'
import { createMetrics } from '@eddy/runtime'
import { firstValueFrom, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { ingest } from './ingest.ts'
import { ingestedTo } from './ingested-to.ts'
import { Tally } from './tally.ts'

const metrics = createMetrics()
const rules = [{ name: 'x', type: 'number' }] as const
const stage = ingest({
  rules,
  topics: { features: 'features', deadLetters: 'dead' },
  maxEventBytes: 100,
  tally: new Tally(rules, metrics),
})
const record = (offset: number, value: Uint8Array | null, headers = {}): StoredRecord => ({
  offset,
  key: Buffer.from(`k${offset}`),
  value,
  headers,
  timestamp: 50 + offset,
})
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const schema = featureSchema(rules)
const avro = (features: number[], customer = 'a', { identity } = { identity: 0 }): Uint8Array =>
  featureVectorCodec.encode({ schema: identity, customer, time: 1, weight: 2, features: Float64Array.from(features) })

async function emissionOf(records: StoredRecord[]) {
  const delivery: Delivery = { topic: 'events', partition: 2, records, nextOffset: 99, endOffset: 99, ack: () => {} }
  return firstValueFrom(stage(of(delivery)))
}

describe('ingest', () => {
  it('turns JSON and Avro events into feature vectors of the same partition', async () => {
    const { publications, settles } = await emissionOf([
      record(0, json({ customer: 'j', features: { x: 4 } }), { traceparent: Buffer.from('t') }),
      record(1, avro([5])),
    ])
    expect(publications.map(({ topic }) => topic)).toEqual(['features'])
    const [fromJson, fromAvro] = publications[0]!.records
    expect(featureVectorCodec.decode(fromJson!.value!)).toEqual({
      customer: 'j',
      time: 50,
      weight: 1,
      schema: schema.identity,
      features: Float64Array.of(4),
    })
    expect(featureVectorCodec.decode(fromAvro!.value!)).toEqual({
      customer: 'a',
      time: 1,
      weight: 2,
      schema: schema.identity,
      features: Float64Array.of(5),
    })
    expect(fromAvro).toMatchObject({
      key: Uint8Array.from(Buffer.from('a')),
      value: avro([5], 'a', schema),
      partition: 2,
      timestamp: 51,
    })
    expect(fromJson).toMatchObject({
      key: Uint8Array.from(Buffer.from('j')),
      partition: 2,
      timestamp: 50,
      headers: { traceparent: Uint8Array.from(Buffer.from('t')) },
    })
    // The first tells how far all of them have come.
    expect([fromJson!, fromAvro!].map(({ headers = {} }) => ingestedTo({ headers }))).toEqual([99, undefined])
    expect(settles.length).toBe(1)
  })

  it('names the schema in each vector, however the event came, and changes nothing else of one that came ready-made', async () => {
    const older = Buffer.from('00000000010261020000000000000040100000000000001440', 'hex')
    const came = [json({ customer: 'a', x: 5 }), json({ features: { x: 5 }, customer: 'a' }), avro([5]), older]
    const { publications } = await emissionOf([...came, avro([5], 'a', schema)].map((value, n) => record(n, value)))
    const vectors = publications[0]!.records.map(({ value }) => featureVectorCodec.decode(value!))
    expect(vectors.map(vector => vector.schema)).toEqual(Array(5).fill(schema.identity))
    expect(vectors.slice(2)).toEqual(Array(3).fill(featureVectorCodec.decode(avro([5], 'a', schema))))
    const row = new Float64Array(1)
    for (const { value } of publications[0]!.records) new FeaturesReader().decodeFeaturesInto(value!, row, 0, schema)
  })

  it.each([
    ['undecodable', null],
    ['undecodable', Buffer.from('{"customer": NaN}')],
    ['undecodable', Uint8Array.of(0, 0, 0, 0, 1, 255)],
    ['undecodable', Uint8Array.of(0xff, 0xfe)],
    ['too-large', Buffer.alloc(101, 0x20)],
    ['wrong-type', avro([1, 2])],
    ['unfit', avro([1], 'a', featureSchema([{ name: 'y', type: 'number' }]))],
    ['missing-customer', avro([1], '')],
    ['missing-customer', Buffer.from('{"customer":"\\ud800","features":{"x":1}}')],
    ['no-features', avro([Number.NaN])],
    ['no-features', json({ customer: 'c', features: { y: 1 } })],
    ['not-finite', Buffer.from('{"customer":"c","features":{"x":1e999}}')],
  ])('quarantines with the original bytes: %s', async (reason, value) => {
    const { publications } = await emissionOf([record(7, value, { h: Buffer.from('v') })])
    expect(publications.map(({ topic }) => topic)).toEqual(['dead'])
    const [letter] = publications[0]!.records
    expect(deadLetterFrom({ key: letter!.key, value: letter!.value, headers: letter!.headers ?? {} })).toMatchObject({
      reason,
      stage: 'ingest',
      topic: 'events',
      partition: 2,
      offset: 7,
      key: Buffer.from('k7'),
      value,
      headers: [{ name: 'h', value: Buffer.from('v') }],
    })
  })

  it('quarantines an event without a time that was appended at none that can be', async () => {
    for (const value of [json({ customer: 'c', features: { x: 1 } }), json({ customer: 'c', x: 1 })]) {
      const { publications } = await emissionOf([{ ...record(7, value), timestamp: 2 ** 62 }])
      expect(publications.map(({ topic }) => topic)).toEqual(['dead'])
    }
  })

  it('keeps every digit of a customer that is a number, however many there are', async () => {
    const ids = ['9007199254740992', '9007199254740993', '18446744073709551615']
    const { publications } = await emissionOf(
      ids.map((id, n) => record(n, Buffer.from(`{"customer":${id},"features":{"x":${n}}}`))),
    )
    expect(publications.map(({ topic }) => topic)).toEqual(['features'])
    const customers = publications[0]!.records.map(({ value }) => featureVectorCodec.decode(value!).customer)
    expect(customers).toEqual(ids)
    expect(publications[0]!.records.map(({ key }) => Buffer.from(key!).toString())).toEqual(ids)
  })

  it('accounts for every event once', async () => {
    const mixed = Array.from({ length: 20 }, (_, n) =>
      record(n, n % 3 === 0 ? Buffer.from('?') : json({ customer: 'c', features: { x: n } })),
    )
    const { publications } = await emissionOf(mixed)
    expect(publications.map(({ topic, records }) => [topic, records.length])).toEqual([
      ['features', 13],
      ['dead', 7],
    ])
  })
})

describe('ingest, where customers are to be disguised', () => {
  const hmac = (customer: string): string => createHmac('sha256', 'key').update(customer).digest('base64url')
  const under = ingest({ rules, topics: { features: 'features', deadLetters: 'dead' }, maxEventBytes: 1000, ids: hmac })

  it('writes no id that a producer has written, in no form of event and no dead letter', async () => {
    const already = hmac('posted')
    const records = [
      record(0, json({ customer: 'ann-secret', features: { x: 1 } })),
      record(1, avro([2], 'ann-secret')),
      record(2, json({ customer: already, features: { x: 3 } })),
      record(3, json({ customer: 'ann-secret', features: { x: 'ann' } })),
      record(4, json({ user: 'ann-secret', features: { x: 5 } })),
      record(5, Buffer.from('ann-secret, no JSON')),
      record(6, Buffer.concat([Buffer.of(0), Buffer.from('ann-secret')])),
    ].map(each => ({ ...each, key: Buffer.from('ann-secret') }))
    const delivery: Delivery = { topic: 'events', partition: 2, records, nextOffset: 7, endOffset: 7, ack: () => {} }
    const { publications } = await firstValueFrom(under(of(delivery)))
    const [features, dead] = publications
    const vectors = features!.records.map(({ value }) => featureVectorCodec.decode(value!))
    expect(vectors.map(({ customer, features }) => [customer, features[0]])).toEqual([
      [hmac('ann-secret'), 1],
      [hmac('ann-secret'), 2],
      [already, 3],
    ])
    expect(features!.records.map(({ key }) => Buffer.from(key!).toString())).toEqual(vectors.map(v => v.customer))
    expect(dead!.records).toHaveLength(4)
    for (const { records } of publications)
      for (const { key, value, headers } of records) {
        const written = [key ?? '', value ?? '', ...Object.values(headers ?? {})].map(bytes =>
          Buffer.from(bytes).toString('latin1'),
        )
        expect(written.join(' ')).not.toContain('ann-secret')
      }
  })
})
