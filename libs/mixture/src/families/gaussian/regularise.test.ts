import { expect, test } from 'vitest'
import { regulariseCovariance } from './regularise.ts'

test.each([Infinity, Number.NaN])('what is no covariance (%d) becomes the overall variances, however large', no => {
  const overall = Float64Array.of(8e305, 2)
  const covariance = Float64Array.of(no, 0, 1)
  const precision = new Float64Array(3)
  const logDeterminant = regulariseCovariance(covariance, overall, 1e-6, precision, 0, new Float64Array(3))
  expect([...covariance]).toEqual([8e305, 0, 2])
  expect(precision[2]).toBeCloseTo(Math.SQRT1_2, 12)
  expect(logDeterminant).toBeCloseTo(-(Math.log(8e305) + Math.log(2)) / 2, 9)
})
