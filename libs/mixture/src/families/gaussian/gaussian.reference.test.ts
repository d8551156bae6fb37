import { familyLaws } from '../../laws/family-laws.ts'
import { standardNormal } from '../../numerics/random.ts'
import { gaussian } from './gaussian.ts'

// gaussian.test.ts runs on the compiled kernel; the scalar reference keeps the same laws.
for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const)
  familyLaws(
    `gaussian ${covariance}, TypeScript reference`,
    {
      make: (components, columns) => gaussian({ components, columns, covariance }),
      value: (random, j, group) => standardNormal(random) * (1 + (j % 3)) + group * 2,
      unbounded: true,
    },
    { runs: 200, columns: [1, 2, 3, 5] },
  )
