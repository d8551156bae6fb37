import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCodec } from './codec.ts'
import { labelCodec } from './label.ts'
import { MessageError } from './message-error.ts'
import { avroType, type PublishedSchema, versionsOf } from './schemas.ts'
import { snapshotCodec } from './snapshot.ts'
import { statisticsCodec } from './statistics.ts'
import { everyCodec } from './testing/every-codec.ts'

/** Bytes of every f64 array and Buffer, so that −0, NaN and payloads count. */
function exact(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : value
  if (Array.isArray(value)) return value.map(exact)
  if (value && typeof value === 'object') return Object.entries(value).map(([k, v]) => [k, exact(v)])
  return value
}

describe.each(everyCodec)('$name codec', ({ codec, values }) => {
  it('round trips bit for bit', () => {
    fc.assert(
      fc.property(values, value => {
        const bytes = codec.encode(value)
        expect(bytes[0]).toBe(0)
        expect(Buffer.from(bytes).readUInt32BE(1)).toBe(codec.id)
        // Another alignment, as in a delivery.
        const shifted = new Uint8Array(bytes.length + 3)
        shifted.set(bytes, 3)
        expect(exact(codec.decode(shifted.subarray(3)))).toEqual(exact(value))
      }),
      { numRuns: 300 },
    )
  })

  it('refuses every truncation and every trailing byte', () => {
    fc.assert(
      fc.property(values, value => {
        const bytes = codec.encode(value)
        for (let length = 0; length < bytes.length; length++) {
          expect(() => codec.decode(bytes.slice(0, length))).toThrow(MessageError)
        }
        expect(() => codec.decode(Uint8Array.of(...bytes, 0))).toThrow(MessageError)
      }),
      { numRuns: 30 },
    )
  })

  it('names the schema id it does not know, and what has another subject', () => {
    const [value] = fc.sample(values, { numRuns: 1, seed: 1 })
    const bytes = codec.encode(value).slice()
    bytes[1] = 1
    expect(() => codec.decode(bytes)).toThrow(
      new RegExp(
        `schema id: expected (\\d+ or )*${codec.id} \\(${codec.subject}\\), got ${2 ** 24 + codec.id}\\. Add the id`,
      ),
    )
    bytes[1] = 0
    bytes[4] = codec.subject.startsWith('eddy.features') ? 2 : 1
    expect(() => codec.decode(bytes)).toThrow(/got \d, which is eddy\.[a-z-]+\.v1-value version 1\. Read this topic/)
  })

  it('names the first byte when it is not Confluent format', () => {
    expect(() => codec.decode(Buffer.from('{"customer":"c1"}'))).toThrow(/expected byte 0 first .* got 123\. .*JSON/)
    expect(() => codec.decode(new Uint8Array(3))).toThrow(/expected at least 5 bytes .* got 3/)
    expect(() => codec.decode(new Uint8Array(64 * 1024 * 1024 + 1))).toThrow(/expected at most 67108864 bytes/)
  })
})

describe('values that have no bytes', () => {
  const of = (name: string) => everyCodec.find(row => row.name === name)!
  const change = (name: string, fields: object) => {
    const { codec, values } = of(name)
    const [value] = fc.sample(values, { numRuns: 1, seed: 2 })
    return () => codec.encode({ ...(value as object), ...fields })
  }

  it.each([
    ['feature vector', { time: 1.5 }, /time: expected a whole number .* got 1\.5/],
    ['feature vector', { customer: 'a\ud800' }, /customer: expected well-formed text/],
    ['label', { sourceOffset: 2 ** 53 }, /sourceOffset: expected a whole number/],
    [
      'label',
      { snapshotVersion: 2n ** 63n },
      /snapshotVersion: expected what eddy\.labels\.v1-value version 2 allows, got bigint 9223372036854775808/,
    ],
    ['statistics', { offsetsHash: -1n }, /offsetsHash: expected 0 … 2\^64 − 1, got -1/],
    ['statistics', { partition: 2 ** 31 }, /partition: expected what .* got number 2147483648/],
    ['lineage', { kind: 'reform' }, /kind: expected one of birth, .* got "reform"/],
  ])('%s with %o', (name, fields, message) => {
    expect(change(name, fields)).toThrow(message)
    expect(change(name, fields)).toThrow(MessageError)
  })
})

describe('an older writer', () => {
  const record = (fields: object[]) => ({ type: 'record' as const, name: 'eddy.Thing', fields }) as never
  const published = (version: number, fields: object[]): PublishedSchema => {
    const schema = record(fields)
    return { id: 100 + version, subject: 'thing-value', version, schema, type: avroType(schema) }
  }
  const name = { name: 'name', type: 'string' }
  const one = published(1, [name])
  const two = published(2, [name, { name: 'size', type: 'long', default: 7 }])
  const same = (value: object) => value

  it('is read with the newest schema: a new field takes its default', () => {
    const old = createCodec<object, object>('thing-value', same, same, [one])
    const fresh = createCodec<object, object>('thing-value', same, same, [one, two])
    expect({ ...fresh.decode(old.encode({ name: 'x' })) }).toEqual({ name: 'x', size: 7n })
    expect({ ...fresh.decode(fresh.encode({ name: 'x', size: 3n })) }).toEqual({ name: 'x', size: 3n })
    expect(() => old.decode(fresh.encode({ name: 'x', size: 3n }))).toThrow(/schema id: expected 101 .* got 102/)
  })

  it('of a snapshot, statistics or a label said less: what is missing is told from what was written', () => {
    const written = (name: string, record: object): Uint8Array => {
      const { codec } = everyCodec.find(row => row.name === name)!
      const first = versionsOf(codec.subject)[0]!
      const bytes = Buffer.alloc(5 + first.type.toBuffer(record).length)
      bytes.writeUInt32BE(first.id, 1)
      bytes.set(first.type.toBuffer(record), 5)
      return bytes
    }
    const nothing = Buffer.alloc(0)
    const range = { model: 'm', snapshotVersion: 1n, partition: 0, from: 0n, to: 1n, events: 1n }
    const sums = { offsetsHash: Buffer.alloc(8), weight: 2, logLikelihood: 0, statistics: nothing }
    expect(statisticsCodec.decode(written('statistics', { ...range, ...sums })).squaredWeight).toBe(-1)
    const label = { customer: 'c', time: 0n, model: 'm', snapshotVersion: 1n, segment: 's1', posterior: nothing }
    const source = { logDensity: 0, sourcePartition: 0, sourceOffset: 0n }
    expect(labelCodec.decode(written('label', { ...label, ...source })).provisional).toBe(false)
    const head = { model: 'm', version: 3n, step: 2n, createdAt: 0n, specification: '{}', parameters: [] }
    const rest = { statistics: nothing, segments: [], ledger: [], statisticsOffset: 0n }
    const numbers = { prequentialLogLikelihood: -1, effectiveSampleSize: 160 }
    expect(snapshotCodec.decode(written('snapshot', { ...head, ...rest, ...numbers }))).toMatchObject({
      weight: -1,
      provisional: false,
      epoch: 0n,
      segmentsBorn: 0,
      surprise: -1,
    })
  })
})
