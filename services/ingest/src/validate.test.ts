import { featureSchema } from '@eddy/messages'
import { describe, expect, it } from 'vitest'
import type { FeatureRule } from './feature-rule.ts'
import { Refusal } from './refusal.ts'
import { checkFeatureVector, toFeatureVector } from './validate.ts'

const rules: FeatureRule[] = [
  { name: 'amount', type: 'number', min: 0, max: 1000 },
  { name: 'visits', type: 'count' },
  { name: 'channel', type: 'category', values: ['web', 'store'] },
  { name: 'member', type: 'boolean', required: true },
]
const schema = featureSchema(rules)
const good = {
  customer: 'c1',
  time: '2026-01-02T03:04:05Z',
  features: { amount: 12.5, visits: 3, channel: 'store', member: true },
}
const refusal = (event: unknown): string => {
  try {
    toFeatureVector(event, rules, 7)
    return 'accepted'
  } catch (error) {
    return `${(error as Refusal).reason}: ${(error as Refusal).message}`
  }
}
const withFeatures = (features: object): object => ({ ...good, features: { ...good.features, ...features } })

describe('toFeatureVector', () => {
  it('orders and codes the features', () => {
    expect(toFeatureVector(good, rules, 7)).toEqual({
      customer: 'c1',
      time: Date.UTC(2026, 0, 2, 3, 4, 5),
      weight: 1,
      features: Float64Array.of(12.5, 3, 1, 1),
    })
  })

  it('takes flat events, numeric ids, and the append time where there is none', () => {
    expect(toFeatureVector({ customer: 42, amount: 1, member: false, weight: 2 }, rules, 7)).toEqual({
      customer: '42',
      time: 7,
      weight: 2,
      features: Float64Array.of(1, Number.NaN, Number.NaN, 0),
    })
  })

  it('takes a weight for a feature or for how much an event counts, never for both', () => {
    const body = [{ name: 'weight', type: 'number' }] as const
    expect(toFeatureVector({ customer: 'c', weight: 80 }, body, 7)).toMatchObject({
      weight: 1,
      features: Float64Array.of(80),
    })
    expect(toFeatureVector({ customer: 'c', weight: 2, features: { weight: 80 } }, body, 7)).toMatchObject({
      weight: 2,
      features: Float64Array.of(80),
    })
  })

  it.each([
    ['a text', 'wrong-type: event: expected a JSON object, got "a text"'],
    [{ ...good, customer: '' }, 'missing-customer: customer: expected a text of 1 to 1024 characters, got ""'],
    [
      { ...good, time: 'yesterday' },
      'bad-time: time: expected RFC 3339 with a zone (2026-01-31T12:00:00Z) or milliseconds since 1970, from 1973 to 2099, got "yesterday"',
    ],
    [{ ...good, weight: 0 }, 'bad-weight: weight: expected a number above 0 and at most 1e9, got 0'],
    [{ ...good, features: [] }, 'wrong-type: features: expected an object of name to value, got a list of 0'],
    [
      { customer: 'c1', features: { member: null } },
      'missing-feature: member: expected a value (it is required), got none',
    ],
    [withFeatures({ amount: '12' }), 'wrong-type: amount: expected a number, got "12"'],
    [withFeatures({ amount: Number.POSITIVE_INFINITY }), 'not-finite: amount: expected a finite number, got Infinity'],
    [withFeatures({ amount: 1001 }), 'out-of-bounds: amount: expected 0 to 1000, got 1001'],
    [withFeatures({ visits: 1.5 }), 'wrong-type: visits: expected a count (0, 1, 2 …), got 1.5'],
    [withFeatures({ visits: 1e308 }), 'out-of-bounds: visits: expected -1e+100 to 1e+100, got 1e+308'],
    [withFeatures({ channel: 'phone' }), 'unknown-category: channel: expected one of web, store, got "phone"'],
    [withFeatures({ member: 'yes' }), 'wrong-type: member: expected true or false, got "yes"'],
  ])('refuses %j', (event, reason) => {
    expect(refusal(event)).toBe(reason)
  })

  it('takes values at their bounds', () => {
    for (const amount of [0, 1000]) expect(refusal(withFeatures({ amount }))).toBe('accepted')
    expect(refusal({ ...good, weight: 1e9 })).toBe('accepted')
    expect(refusal({ ...good, weight: 1.0000001e9 })).toMatch(/^bad-weight/)
  })

  it('refuses an event without any feature', () => {
    const optional = rules.slice(0, 3)
    expect(() => toFeatureVector({ customer: 'c1' }, optional, 7)).toThrow(
      /expected at least one of amount, visits, channel/,
    )
  })
})

describe('checkFeatureVector', () => {
  const vector = (...features: number[]) => ({
    customer: 'c1',
    time: 1,
    weight: 1,
    features: Float64Array.from(features),
  })
  it('accepts what toFeatureVector makes', () => {
    expect(checkFeatureVector(vector(1, 2, 0, 1), rules, schema)).toEqual(vector(1, 2, 0, 1))
  })
  it.each([
    [vector(1, 2, 0), /expected 4 values/],
    [vector(1, 2, 2, 1), /expected a code from 0 to 1, got 2/],
    [vector(1, 2, 0, 2), /expected 0 or 1, got 2/],
    [vector(Number.NEGATIVE_INFINITY, 2, 0, 1), /expected a finite number/],
    [vector(1, 2, 0, Number.NaN), /required/],
    [
      { ...vector(1, 2, 0, 1), schema: schema.identity + 1 },
      /schema: expected that of amount, visits, channel, member/,
    ],
  ])('refuses %j', (wrong, message) => {
    expect(() => checkFeatureVector(wrong, rules, schema)).toThrow(message)
    expect(() => checkFeatureVector(wrong, rules, schema)).toThrow(Refusal)
  })
})
