import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cholesky, invertLower, logDeterminantLower } from './cholesky.ts'
import { LOWEST_LOG_DENSITY, posteriorFromLogs } from './log-sum-exp.ts'
import { packedIndex, packedLength, packSymmetric, unpackSymmetric } from './packed.ts'
import { random, standardNormal } from './random.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** G Gᵀ of a random d × m matrix G, square. */
function gram(d: number, m: number, seed: number): Float64Array {
  const uniform = random(seed)
  const g = Float64Array.from({ length: d * m }, () => standardNormal(uniform))
  const out = new Float64Array(d * d)
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) for (let a = 0; a < m; a++) out[i * d + j]! += g[i * m + a]! * g[j * m + a]!
  return out
}

const sized = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer())

describe('numerics', () => {
  test('packing a symmetric matrix loses nothing', () => {
    fc.assert(
      fc.property(sized, ([d, seed]) => {
        const a = gram(d, d + 2, seed)
        expect(unpackSymmetric(packSymmetric(a, d), d)).toEqual(a)
      }),
    )
  })

  test('L Lᵀ is the matrix, L⁻¹ L the identity, log |L⁻¹| half the log determinant', () => {
    fc.assert(
      fc.property(sized, ([d, seed]) => {
        const a = packSymmetric(gram(d, d + 3, seed), d)
        const lower = new Float64Array(packedLength(d))
        expect(cholesky(a, 0, d, lower)).toBe(true)
        const inverse = new Float64Array(packedLength(d))
        invertLower(lower, d, inverse, 0)
        for (let i = 0; i < d; i++)
          for (let j = 0; j <= i; j++) {
            let product = 0
            let identity = 0
            for (let m = 0; m <= j; m++) product += lower[packedIndex(i, m)]! * lower[packedIndex(j, m)]!
            for (let m = j; m <= i; m++) identity += inverse[packedIndex(i, m)]! * lower[packedIndex(m, j)]!
            expect(product).toBeCloseTo(a[packedIndex(i, j)]!, 9)
            expect(identity).toBeCloseTo(i === j ? 1 : 0, 8)
          }
        expect(logDeterminantLower(inverse, 0, d)).toBeCloseTo(-logDeterminantLower(lower, 0, d), 9)
      }),
    )
  })

  test('a matrix of lower rank has no Cholesky factor', () => {
    expect(cholesky(packSymmetric(gram(5, 3, 1), 5), 0, 5, new Float64Array(15))).toBe(false)
    expect(cholesky(Float64Array.of(Number.NaN), 0, 1, new Float64Array(1))).toBe(false)
  })

  test('eigenvectors are orthonormal and A v = λ v', () => {
    fc.assert(
      fc.property(sized, fc.boolean(), ([d, seed], singular) => {
        const a = gram(d, singular ? Math.ceil(d / 2) : d + 2, seed)
        const { values, vectors } = symmetricEigen(a, d)
        const size = Math.max(...values.map(Math.abs), 1e-300)
        for (let m = 0; m < d; m++) {
          if (m > 0) expect(values[m]!).toBeGreaterThanOrEqual(values[m - 1]!)
          for (let i = 0; i < d; i++) {
            let product = 0
            let dot = 0
            for (let j = 0; j < d; j++) {
              product += a[i * d + j]! * vectors[j * d + m]!
              dot += vectors[j * d + i]! * vectors[j * d + m]!
            }
            expect(Math.abs(product - values[m]! * vectors[i * d + m]!)).toBeLessThan(1e-12 * size)
            expect(Math.abs(dot - (i === m ? 1 : 0))).toBeLessThan(1e-12)
          }
        }
      }),
    )
  })

  test('posteriors sum to 1 even where every density underflows', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e300, max: 700, noNaN: true }), { minLength: 1, maxLength: 6 }), logs => {
        const posterior = Float64Array.from(logs)
        const logDensity = new Float64Array(1)
        posteriorFromLogs(posterior, new Float64Array(logs.length), 1, logs.length, logDensity)
        expect(Math.abs(posterior.reduce((a, b) => a + b, 0) - 1)).toBeLessThanOrEqual(1e-12)
        expect(Number.isFinite(logDensity[0]!)).toBe(true)
      }),
    )
    const lowest = Float64Array.of(LOWEST_LOG_DENSITY, LOWEST_LOG_DENSITY)
    posteriorFromLogs(lowest, Float64Array.of(0, -Infinity), 1, 2, new Float64Array(1))
    expect([...lowest]).toEqual([1, 0])
  })
})
