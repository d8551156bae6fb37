import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { figure, fixed, percent } from './figures.ts'

describe('figures for people', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [1234.5678, '1235'],
    [42_990_000, '42,990,000'],
    [-12_345.6, '-12,350'],
    [0.000123456, '0.0001235'],
    [2.5e-9, '2.5e-9'],
    [1e-9, '1e-9'],
    [1.5e18, '1.5e18'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d is %s', (value, text) => {
    expect(figure(value)).toBe(text)
  })

  it('a number that is nothing beside the others is 0', () => {
    expect([-0.00000783, 23.4, 0.0214].map((value, _, all) => figure(value, all))).toEqual(['0', '23.4', '0.021'])
    expect([0.00012, 0.0456].map((value, _, all) => figure(value, all))).toEqual(['0.00012', '0.0456'])
    expect([Number.NaN, 3].map((value, _, all) => figure(value, all))).toEqual(['–', '3'])
  })

  it('never shows NaN, Infinity, -0 or a power of ten of what people count, and keeps four digits', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e300, max: 1e300 }), value => {
        const text = figure(value)
        expect(text).not.toMatch(/NaN|Infinity|^-0$/)
        const magnitude = Math.abs(value)
        if (!Number.isFinite(value)) return
        if (magnitude >= 1e-6 && magnitude < 1e15) expect(text).not.toContain('e')
        expect(Math.abs(Number(text.replaceAll(',', '')) - value)).toBeLessThanOrEqual(5.1e-4 * magnitude)
      }),
    )
  })

  it('shares and likelihoods are told alike', () => {
    expect([percent(0.1234), percent(Number.NaN), percent(0.5, 0)]).toEqual(['12.3%', '–', '50%'])
    expect([fixed(-0.00001, 3), fixed(Number.NaN, 3), fixed(null, 1), fixed(-9.38123, 4)]).toEqual([
      '0.000',
      '–',
      '–',
      '-9.3812',
    ])
  })
})
