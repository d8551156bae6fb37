import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relativeError } from '../laws/family-laws.ts'
import { random, standardNormal } from '../numerics/random.ts'
import type { TransformName } from '../treatment/treatment.ts'
import { endedAtBound } from '../treatment/yeo-johnson.ts'
import { createSpecification } from './specification.ts'
import { applyTransform, estimateTransform, invertTransform } from './transform.ts'

const one = (name: TransformName, standardise = true) =>
  createSpecification({ features: [{ name: 'x', transform: name }], components: 1, standardise })

const column = (values: readonly number[]) => ({ rows: values.length, columns: 1, values: Float64Array.from(values) })

describe('transform', () => {
  for (const name of ['none', 'log1p', 'yeo-johnson'] as const) {
    const uniform = random(4)
    const sample = column(Array.from({ length: 500 }, () => Math.exp(standardNormal(uniform)) - 0.3))
    const specification = one(name)
    const parameters = estimateTransform(specification, sample)

    test(`${name}: centres and scales, and can be undone`, () => {
      const { block } = applyTransform(specification, parameters, sample)
      const mean = block.values.reduce((a, b) => a + b, 0) / 500
      const square = block.values.reduce((a, b) => a + b * b, 0) / 500
      expect(mean).toBeCloseTo(0, 12)
      expect(square).toBeCloseTo(1, 12)
      const back = invertTransform(specification, parameters, block)
      expect(relativeError(back.values, sample.values)).toBeLessThan(1e-12)
    })

    test(`${name}: the Jacobian is the derivative`, () => {
      fc.assert(
        fc.property(fc.double({ min: -3, max: 30, noNaN: true }), x => {
          const h = 1e-6 * (1 + Math.abs(x))
          const { block, logJacobian } = applyTransform(specification, parameters, column([x, x - h, x + h]))
          const slope = (block.values[2]! - block.values[1]!) / (2 * h)
          expect(Math.exp(logJacobian[0]!) / slope).toBeCloseTo(1, 4)
        }),
      )
    })

    test(`${name}: a missing value stays missing and adds no Jacobian`, () => {
      const { block, logJacobian } = applyTransform(specification, parameters, column([Number.NaN]))
      expect(block.values[0]).toBeNaN()
      expect(logJacobian[0]).toBe(0)
    })
  }

  test('without standardising, a plain number is left as it is', () => {
    const specification = one('none', false)
    const sample = column([3, 1e9, -4])
    const { block, logJacobian } = applyTransform(specification, estimateTransform(specification, sample), sample)
    expect(block.values).toEqual(sample.values)
    expect([...logJacobian]).toEqual([0, 0, 0])
  })

  test('a constant is centred, and its scale is its own size: what rounding leaves of it is no deviation', () => {
    for (const [x, scale] of [
      [0, 1],
      [0.1, 1],
      [-4e7, 4e7],
    ] as const) {
      const parameters = estimateTransform(one('none'), column([x, x, x]))
      expect([parameters.transformCentre[0], parameters.transformScale[0]]).toEqual([x, scale])
    }
  })

  for (const name of ['none', 'yeo-johnson'] as const)
    test(`${name}: what is far beyond all that was seen is cut off where squares can still be summed`, () => {
      const specification = one(name)
      const parameters = { ...estimateTransform(specification, column([0, 1e-3])), transformPower: Float64Array.of(3) }
      const far = column([1e90, -1e200, 1e200].map(x => (name === 'none' ? x * 1e80 : x)))
      const { block } = applyTransform(specification, parameters, far)
      for (const z of block.values) expect(Number.isFinite(z * z)).toBe(true)
      expect([block.values[0], block.values[2]]).toEqual([1e150, 1e150])
    })

  test('a weight of 2 is two events', () => {
    const specification = one('log1p')
    const weighted = estimateTransform(specification, column([1, 5, 9]), Float64Array.of(1, 2, 0))
    const repeated = estimateTransform(specification, column([1, 5, 5]))
    expect(weighted.transformCentre[0]).toBeCloseTo(repeated.transformCentre[0]!, 14)
    expect(weighted.transformScale[0]).toBeCloseTo(repeated.transformScale[0]!, 14)
  })
})

describe('Yeo–Johnson of small numbers', () => {
  // 150 shares of a few thousandths, told to six digits after the first.
  const rates = JSON.parse(readFileSync(new URL('../../test/fixtures/rates.json', import.meta.url), 'utf8')) as number[]

  test("λ is where scikit-learn's PowerTransformer has it, however far from 1", () => {
    const { transformPower } = estimateTransform(one('yeo-johnson'), column(rates))
    expect(transformPower[0]).toBeCloseTo(-1548.8, 0)
  })

  test('a search that finds no maximum says so', () => {
    const { transformPower } = estimateTransform(one('yeo-johnson'), column(rates.map(x => x / 1e6)))
    expect(endedAtBound(transformPower[0]!)).toBe(true)
    expect(endedAtBound(-1548.8)).toBe(false)
  })
})
