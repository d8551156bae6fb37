import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type StepSizeSpecification, stepSize } from './step-size.ts'

const weight = fc.double({ min: 1e-3, max: 1e4, noNaN: true })
const cuttings = fc.array(weight, { minLength: 1, maxLength: 30 })
const specification: fc.Arbitrary<StepSizeSpecification> = fc
  .tuple(
    fc.double({ min: 0.5001, max: 1, noNaN: true }),
    fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e5, noNaN: true })),
    fc.option(fc.double({ min: 1, max: 1e6, noNaN: true })),
  )
  .map(([exponent, offset, halfLife]) => ({ exponent, offset, ...(halfLife === null ? {} : { halfLife }) }))

/** What the past keeps of its share over batches of these weights. */
function kept(settings: StepSizeSpecification, before: number, batches: readonly number[]): number {
  let share = 1
  let n = before
  for (const m of batches) {
    share *= 1 - stepSize(settings, n, m)
    n += m
  }
  return share
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

describe('step size', () => {
  test('does not depend on how events were cut into batches', () => {
    fc.assert(
      fc.property(specification, weight, cuttings, (settings, before, batches) => {
        const together = kept(settings, before, [sum(batches)])
        expect(Math.abs(kept(settings, before, batches) - together)).toBeLessThanOrEqual(1e-12)
      }),
      { numRuns: 500 },
    )
  })

  test('gives each event the same effective weight in any cutting, to the order of γ²', () => {
    fc.assert(
      fc.property(
        specification,
        fc.integer({ min: 50, max: 5000 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (settings, before, batches) => {
          const events = sum(batches)
          const effective = (sizes: readonly number[]): number[] => {
            const weights: number[] = []
            let n = before
            for (const m of sizes) {
              const gamma = stepSize(settings, n, m)
              for (let i = 0; i < weights.length; i++) weights[i]! *= 1 - gamma
              for (let i = 0; i < m; i++) weights.push(gamma / m)
              n += m
            }
            return weights
          }
          const apart = effective(new Array(events).fill(1))
          const largest = Math.max(...batches.map((m, i) => stepSize(settings, before + sum(batches.slice(0, i)), m)))
          // Beyond it there is no order of γ².
          fc.pre(largest <= 0.5)
          effective(batches).forEach((w, i) => {
            expect(Math.abs(w - apart[i]!)).toBeLessThanOrEqual(2 * largest * apart[i]! + 1e-15)
          })
        },
      ),
      { numRuns: 200 },
    )
  })

  test('α = 1 is the weighted mean', () => {
    fc.assert(
      fc.property(weight, weight, (n, m) => {
        const gamma = stepSize({ exponent: 1, offset: 0 }, n, m)
        expect(Math.abs(gamma / (m / (n + m)) - 1)).toBeLessThanOrEqual(1e-12)
      }),
    )
  })

  test('one event of weight 1 has (n + t0)^−α to the order of γ²', () => {
    const gamma = stepSize({ exponent: 0.7, offset: 100 }, 1e6, 1)
    expect(gamma / (1e6 + 100) ** -0.7).toBeCloseTo(1, 4)
  })

  test('a half-life is a floor: 1 − 2^(−m/h) once the rest is smaller', () => {
    const settings = { exponent: 1, offset: 0, halfLife: 1000 }
    expect(stepSize(settings, 1e9, 50)).toBeCloseTo(1 - 2 ** (-50 / 1000), 14)
    expect(stepSize(settings, 10, 5)).toBeCloseTo(5 / 15, 14)
  })

  test('of nothing learned the first batch is all there is', () => {
    expect(stepSize({ exponent: 0.6, offset: 1e6 }, 0, 1e-3)).toBe(1)
  })

  test('stays exact where a batch is a tiny part of what was learned', () => {
    expect(stepSize({ exponent: 1, offset: 0 }, 1e14, 1) * (1e14 + 1)).toBeCloseTo(1, 11)
    expect(stepSize({ exponent: 0.8, offset: 0 }, 1e14, 1) / 1e14 ** -0.8).toBeCloseTo(1, 9)
  })
})
