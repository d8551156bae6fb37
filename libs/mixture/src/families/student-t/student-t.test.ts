import { describe, expect, test } from 'vitest'
import { onKernel } from '../../../test/on-kernel.ts'
import { familyLaws } from '../../laws/family-laws.ts'
import { standardNormal } from '../../numerics/random.ts'
import { digamma, logGamma } from '../../numerics/special.ts'
import { studentT } from './student-t.ts'

const value = (random: () => number, j: number, group: number) =>
  standardNormal(random) * (1 + (j % 3)) + group * 2 + (random() < 0.05 ? 20 : 0)

for (const covariance of ['full', 'tied', 'diag', 'spherical'] as const) {
  const make = (components: number, columns: number) => onKernel(studentT({ components, columns, covariance }))
  familyLaws(`student-t ${covariance}`, { make, value, unbounded: true }, { runs: 1000, columns: [1, 2, 3] })
  familyLaws(`student-t ${covariance}, d = 16`, { make, value, unbounded: true }, { runs: 10, columns: [16] })
}
familyLaws(
  'student-t full, ν = 4',
  {
    make: (components, columns) => onKernel(studentT({ components, columns, covariance: 'full', degreesOfFreedom: 4 })),
    value,
    unbounded: true,
  },
  { runs: 1000, columns: [1, 2, 3] },
)

for (const covariance of ['full', 'tied', 'diag', 'spherical'] as const)
  familyLaws(
    `student-t ${covariance}, ν on the grid`,
    {
      make: (components, columns) => onKernel(studentT({ components, columns, covariance, degreesOnGrid: true })),
      value,
      unbounded: true,
      // ν moves by the likelihood at the parameters of the E-step, the others by that at its ν; once ν rests, EM is monotone.
      monotoneTolerance: 1e-2,
    },
    { runs: 1000, columns: [1, 2, 3] },
  )

describe('special functions', () => {
  test('log Γ and ψ at known places', () => {
    expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 14)
    expect(logGamma(1)).toBeCloseTo(0, 14)
    expect(logGamma(10)).toBeCloseTo(Math.log(362880), 13)
    expect(logGamma(1e5) / 1051287.708973657).toBeCloseTo(1, 14)
    expect(digamma(1)).toBeCloseTo(-0.5772156649015329, 14)
    expect(digamma(0.5)).toBeCloseTo(-1.9635100260214235, 13)
    expect(digamma(100)).toBeCloseTo(4.600161852738087, 13)
  })
})
