import { describe, expect, test } from 'vitest'
import { onKernel } from '../../../test/on-kernel.ts'
import { familyLaws, type LawSubject } from '../../laws/family-laws.ts'
import { standardNormal } from '../../numerics/random.ts'
import { gaussian } from './gaussian.ts'
import type { Covariance } from './layout.ts'

const subject = (covariance: Covariance): LawSubject => ({
  make: (components, columns) =>
    onKernel(
      gaussian({
        components,
        columns,
        covariance,
        ...(covariance === 'factor' ? { factors: Math.min(2, columns) } : {}),
      }),
    ),
  value: (random, j, group) => standardNormal(random) * (1 + (j % 3)) + group * 2,
  unbounded: true,
})

for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const) {
  familyLaws(`gaussian ${covariance}`, subject(covariance), { runs: 1000, columns: [1, 2, 3, 5] })
  familyLaws(`gaussian ${covariance}, d = 16`, subject(covariance), { runs: 30, columns: [16] })
  familyLaws(`gaussian ${covariance}, d = 64`, subject(covariance), { runs: 4, columns: [64], maxRows: 6 })
}
familyLaws('gaussian diag, d = 256', subject('diag'), { runs: 3, columns: [256], maxRows: 4 })

describe('gaussian', () => {
  test('refuses impossible sizes', () => {
    expect(() => gaussian({ components: 0, columns: 2, covariance: 'full' })).toThrow('components: expected')
    expect(() => gaussian({ components: 2, columns: 2, covariance: 'factor', factors: 3 })).toThrow('factors: expected')
  })
})
