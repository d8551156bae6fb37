import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { featureSchema } from './feature-schema.ts'
import { avroFeatureVectorCodec, FeaturesReader, featureVectorCodec } from './feature-vector.ts'
import { MessageError } from './message-error.ts'
import { featureVector } from './testing/arbitraries.ts'

/** So many features, whatever they are. */
const any = (columns: number) => ({ columns, identity: 0 })

const numbers = featureSchema([
  { name: 'x', type: 'number' },
  { name: 'y', type: 'number' },
])

describe('the fast path of feature vectors', () => {
  it('writes the bytes avsc writes', () => {
    fc.assert(
      fc.property(featureVector, vector => {
        expect(Buffer.from(featureVectorCodec.encode(vector))).toEqual(
          Buffer.from(avroFeatureVectorCodec.encode(vector)),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('fills rows of a matrix from messages that share a buffer, and reads the customer when asked', () => {
    const vectors = fc.sample(featureVector, { numRuns: 40, seed: 3 }).map((vector, i) => ({
      ...vector,
      features: Float64Array.of(i, -0, NaN),
    }))
    const messages = vectors.map(vector => featureVectorCodec.encode(vector))
    const values = new Float64Array(40 * 3)
    const reader = new FeaturesReader()
    for (const [i, vector] of vectors.entries()) {
      reader.decodeFeaturesInto(messages[i]!, values, i * 3, any(3))
      expect(reader.time).toBe(vector.time)
      expect(reader.weight).toBe(vector.weight)
      if (i % 2) expect(reader.customer).toBe(vector.customer)
    }
    expect([...values.subarray(117)]).toEqual([39, -0, NaN])
  })

  it('refuses another number of features before it writes any', () => {
    const bytes = featureVectorCodec.encode({ customer: 'c', time: 0, weight: 1, features: Float64Array.of(1, 2) })
    const values = new Float64Array(3)
    expect(() => new FeaturesReader().decodeFeaturesInto(bytes, values, 0, any(3))).toThrow(
      /features: expected 3 values \(the configuration's\), got 2/,
    )
    expect([...values]).toEqual([0, 0, 0])
  })

  it('reads a message among other bytes as it reads it alone, also one that is cut short', () => {
    const reader = new FeaturesReader()
    const read = (bytes: Uint8Array, start: number, end: number) => {
      const values = new Float64Array(2)
      try {
        reader.decodeFeaturesInto(bytes, values, 0, any(2), start, end)
      } catch (error) {
        expect(error).toBeInstanceOf(MessageError)
        return undefined
      }
      const customer = Buffer.from(reader.customerBytes.subarray(reader.customerStart, reader.customerEnd)).toString()
      return [customer, reader.customer, reader.time, reader.weight, ...values]
    }
    fc.assert(
      fc.property(featureVector, fc.uint8Array({ maxLength: 24 }), (vector, following) => {
        const bytes = featureVectorCodec.encode({ ...vector, features: Float64Array.of(3, NaN) })
        const among = Buffer.concat([following, bytes, following, bytes])
        const from = following.length
        for (let length = 0; length <= bytes.length; length++)
          expect(read(among, from, from + length)).toEqual(read(bytes.slice(0, length), 0, length))
        expect(read(among, from, from + bytes.length)?.[0]).toBe(vector.customer)
      }),
      { numRuns: 100 },
    )
  })

  it('keeps earlier messages when it begins a new slab', () => {
    const vector = { schema: 7, customer: 'ü'.repeat(70), time: -1, weight: 1, features: new Float64Array(256).fill(7) }
    const messages = Array.from({ length: 200 }, (_, i) => featureVectorCodec.encode({ ...vector, time: i }))
    messages.forEach((bytes, i) => {
      expect(featureVectorCodec.decode(bytes)).toEqual({ ...vector, time: i })
    })
  })

  it('refuses a vector of another schema, through avsc too, before it writes any value', () => {
    const vector = { customer: 'c', time: 0, weight: 1, features: Float64Array.of(1, 2) }
    const swapped = featureSchema([
      { name: 'y', type: 'number' },
      { name: 'x', type: 'number' },
    ])
    const values = new Float64Array(2)
    const newest = featureVectorCodec.id
    for (const id of [newest, 1_000]) {
      avroFeatureVectorCodec.use(id)
      const bytes = featureVectorCodec.encode({ ...vector, schema: swapped.identity }).slice()
      avroFeatureVectorCodec.use(newest)
      expect(() => new FeaturesReader().decodeFeaturesInto(bytes, values, 0, numbers)).toThrow(
        /schema: expected [0-9a-f]{8} .* got [0-9a-f]{8}\./,
      )
      expect([...values]).toEqual([0, 0])
      new FeaturesReader().decodeFeaturesInto(bytes, new Float64Array(2), 0, swapped)
    }
  })

  it('reads by position what names no schema: of a producer, and of an earlier release', () => {
    // customer "ann", time 7, weight 2, features 1.5 and -1, as schema 1 wrote them
    const older = Buffer.from('000000000106616e6e0e000000000000004020000000000000f83f000000000000f0bf', 'hex')
    const vector = { customer: 'ann', time: 7, weight: 2, features: Float64Array.of(1.5, -1) }
    for (const bytes of [older, featureVectorCodec.encode(vector)]) {
      const values = new Float64Array(2)
      const reader = new FeaturesReader()
      reader.decodeFeaturesInto(bytes, values, 0, numbers)
      expect([...values, reader.time, reader.weight, reader.customer, reader.identity]).toEqual([
        1.5,
        -1,
        7,
        2,
        'ann',
        0,
      ])
      expect(featureVectorCodec.decode(bytes)).toEqual({ ...vector, schema: 0 })
    }
  })
})
