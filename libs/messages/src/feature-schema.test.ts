import { describe, expect, it } from 'vitest'
import { featureSchema, isOfSchema } from './feature-schema.ts'

const spend = { name: 'spend', type: 'number' } as const
const channel = { name: 'channel', type: 'category', values: ['web', 'shop'] } as const
const identityOf = (...features: Parameters<typeof featureSchema>[0]) => featureSchema(features).identity

describe('the identity of features', () => {
  it('is of their names, order, types and categories', () => {
    const all = [
      identityOf(spend, channel),
      identityOf(channel, spend),
      identityOf({ ...spend, name: 'paid' }, channel),
      identityOf({ ...spend, type: 'count' }, channel),
      identityOf(spend, { ...channel, values: ['shop', 'web'] }),
      identityOf(spend),
    ]
    expect(new Set(all).size).toBe(all.length)
    expect(all).not.toContain(0)
  })

  it('stays: it is in stored vectors', () => {
    expect(identityOf(spend, channel)).toBe(3_833_430_341)
  })

  it('is the same however much else is said of them', () => {
    const treated = { ...spend, transform: 'log1p' as const, unit: 'EUR' }
    expect(identityOf(treated, { ...channel, categories: 2 })).toBe(identityOf(spend, channel))
  })

  it('is not known where the categories have no names', () => {
    const { name, type } = channel
    expect(featureSchema([spend, { name, type, categories: 2 }])).toEqual({ columns: 2, identity: 0 })
  })
})

it('only two known identities can differ', () => {
  expect([isOfSchema(1, { identity: 2 }), isOfSchema(2, { identity: 2 })]).toEqual([false, true])
  expect([isOfSchema(0, { identity: 2 }), isOfSchema(2, { identity: 0 })]).toEqual([true, true])
})
