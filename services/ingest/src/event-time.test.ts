import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timeOf } from './event-time.ts'

describe('the time of an event', () => {
  it.each([
    ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02t03:04:05.25z', Date.UTC(2026, 0, 2, 3, 4, 5, 250)],
    ['2026-01-02 03:04:05+05:30', Date.UTC(2026, 0, 1, 21, 34, 5)],
    ['2024-02-29T00:00:00.123456789-00:00', Date.UTC(2024, 1, 29, 0, 0, 0, 123)],
    [1_700_000_000_000.9, 1_700_000_000_000],
    [null, 7],
    [undefined, 7],
  ])('is read from %j', (time, expected) => {
    expect(timeOf(time, 7)).toBe(expected)
  })

  it('is read from whatever toISOString writes', () => {
    const date = fc.date({ min: new Date('1973-04-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    fc.assert(fc.property(date, at => void expect(timeOf(at.toISOString(), 7)).toBe(at.getTime())))
  })

  it.each([
    ['2026-01-02', /say the time of day and the zone too/],
    ['2026-01-02T03:04:05', /the zone too/],
    ['2026-01-02T03:04Z', /the zone too/],
    ['2026-02-30T00:00:00Z', /got "2026-02-30/],
    ['2023-02-29T00:00:00Z', /got "2023/],
    ['2026-13-01T00:00:00Z', /got "2026/],
    ['2026-01-01T24:00:00Z', /got "2026/],
    ['2026-01-01T00:00:00+25:00', /got "2026/],
    ['01/02/2026', /^time: expected RFC 3339 with a zone/],
    ['March 7', /RFC 3339/],
    ['1', /a number is written without quotes/],
    ['9999-01-01T00:00:00Z', /to 2099/],
    [1_700_000_000, /are they seconds\? Multiply them by 1000/],
    [1_700_000_000_000_000, /are they microseconds\? Multiply them by 0\.001/],
    [1.7e18, /nanoseconds/],
    [0, /from 1973 to 2099, got 0$/],
    [-1, /got -1/],
    [Number.NaN, /RFC 3339/],
    [true, /got true/],
    [{}, /got an object/],
  ])('is not %j', (time, message) => {
    expect(() => timeOf(time, 7)).toThrow(message)
  })
})
