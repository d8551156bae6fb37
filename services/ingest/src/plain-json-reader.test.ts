import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FeatureRule } from './feature-rule.ts'
import { PlainJsonReader } from './plain-json-reader.ts'
import { toFeatureVector } from './validate.ts'

const rules: readonly FeatureRule[] = ['a', 'bc', 'd e'].map(name => ({ name, type: 'number' }))
const reader = new PlainJsonReader(rules)
const values = new Float64Array(3)

/** What the reader makes of a text among other bytes; undefined where it leaves it to JSON.parse. */
function read(text: string) {
  const bytes = Buffer.from(`0}${text}}",1`)
  const end = 2 + Buffer.byteLength(text)
  if (!reader.read(bytes, 2, end, values)) return undefined
  const { customerStart, customerEnd, time, weight } = reader
  const customer = bytes.toString('utf8', customerStart, customerEnd)
  return { customer, time: Number.isNaN(time) ? 7 : time, weight, features: values.slice() }
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.integer({ min: -999_999_999, max: 999_999_999 }).map(n => n / 1e6),
  fc.constant(-0),
)
const event = fc.record(
  {
    customer: fc.oneof(fc.string({ maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 4 }), fc.integer()),
    time: fc.oneof(
      fc.integer({ min: 1e11, max: 4e12 }),
      fc.double({ min: 1e11, max: 4e12, noNaN: true }),
      fc.constant('2020-01-01T00:00:00Z'),
    ),
    weight: number,
    features: fc.record({ a: number, bc: fc.option(number), 'd e': number }, { requiredKeys: [] }),
    other: fc.anything(),
  },
  { requiredKeys: ['customer', 'features'], noNullPrototype: true },
)
const plain = '{"customer":"c1","time":1700000000000,"weight":2,"features":{"a":1.5,"bc":-0.25,"d e":null}}'

describe('PlainJsonReader', () => {
  it('reads an event as most are written', () => {
    const expected = { customer: 'c1', time: 1.7e12, weight: 2, features: Float64Array.of(1.5, -0.25, NaN) }
    expect(read(plain)).toEqual(expected)
    expect(read(JSON.stringify(JSON.parse(plain), undefined, 2))).toEqual(expected)
    expect(read('{"features":{"bc":-0},"customer":"~ x"}\n')).toEqual({
      customer: '~ x',
      time: 7,
      weight: 1,
      features: Float64Array.of(NaN, -0, NaN),
    })
  })

  it('reads what it reads as JSON.parse does', () => {
    fc.assert(
      fc.property(event, fc.constantFrom(undefined, 1), (value, space) => {
        const text = JSON.stringify(value, undefined, space)
        const got = read(text)
        if (got === undefined || !(got.weight > 0 && got.weight <= 1e9) || got.features.every(Number.isNaN)) return
        expect(got).toEqual(toFeatureVector(JSON.parse(text), [...rules].map(withoutBounds), 7))
      }),
      { numRuns: 3000 },
    )
  })

  it('reads every decimal it reads as the nearest double', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?[0-9]{1,17}(\.[0-9]{1,17})?$/), decimal => {
        const got = read(`{"customer":"c","features":{"a":${decimal}}}`)
        if (got === undefined) return
        expect(got.features[0]).toBe(JSON.parse(decimal))
      }),
      { numRuns: 5000 },
    )
    expect(read('{"customer":"c","features":{"a":0.3,"bc":123456789.012345}}')?.features).toEqual(
      Float64Array.of(0.3, 123456789.012345, NaN),
    )
  })

  it.each([
    ['another key', '{"customer":"c","x":1,"features":{"a":1}}'],
    ['another feature', '{"customer":"c","features":{"a":1,"x":1}}'],
    ['another order', '{"customer":"c","features":{"bc":1,"a":1}}'],
    ['a name twice', '{"customer":"c","customer":"d","features":{"a":1}}'],
    ['a feature twice', '{"customer":"c","features":{"a":1,"a":2}}'],
    ['features twice', '{"customer":"c","features":{"a":1},"features":{"a":1}}'],
    ['a weight twice', '{"customer":"c","weight":1,"weight":2,"features":{"a":1}}'],
    ['no customer', '{"features":{"a":1}}'],
    ['no features', '{"customer":"c"}'],
    ['a flat event', '{"customer":"c","a":1}'],
    ['an escape', '{"customer":"\\u0063","features":{"a":1}}'],
    ['letters beyond ASCII', '{"customer":"ü","features":{"a":1}}'],
    ['an exponent', '{"customer":"c","features":{"a":1e3}}'],
    ['text for a number', '{"customer":"c","features":{"a":"1"}}'],
    ['sixteen digits', '{"customer":"c","features":{"a":0.1234567890123456}}'],
    ['no JSON: a leading zero', '{"customer":"c","features":{"a":01}}'],
    ['no JSON: a bare point', '{"customer":"c","features":{"a":1.}}'],
    ['no JSON: a comma too many', '{"customer":"c","features":{"a":1,}}'],
    ['no JSON: a comma too many outside', '{"customer":"c","features":{"a":1},}'],
    ['no JSON: something after it', '{"customer":"c","features":{"a":1}} x'],
    ['no JSON: a name without a colon', '{"customer":"c","features":{"a""bc":1}}'],
    ['no JSON: half a null', '{"customer":"c","features":{"a":nul}}'],
  ])('leaves to JSON.parse: %s', (_, text) => {
    expect(read(text)).toBeUndefined()
  })

  it('leaves what is cut short to JSON.parse, whatever follows', () => {
    const bytes = Buffer.from(plain + plain)
    for (let end = 0; end < plain.length; end++) expect(reader.read(bytes, 0, end, values)).toBe(false)
  })

  it('leaves events with categories, or names that need escapes, to JSON.parse', () => {
    const text = Buffer.from('{"customer":"c","features":{"a":1}}')
    for (const rule of [
      { name: 'a', type: 'boolean' },
      { name: 'a"', type: 'number' },
    ] as const)
      expect(new PlainJsonReader([rule]).read(text, 0, text.length, values)).toBe(false)
  })
})

function withoutBounds(rule: FeatureRule): FeatureRule {
  return { ...rule, min: -Infinity, max: Infinity }
}
