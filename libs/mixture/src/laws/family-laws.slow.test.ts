import { onKernel } from '../../test/on-kernel.ts'
import { negativeBinomial } from '../families/counts/negative-binomial.ts'
import { zeroInflated } from '../families/counts/zero-inflated.ts'
import { bernoulli } from '../families/discrete/bernoulli.ts'
import { categorical } from '../families/discrete/categorical.ts'
import { multinomial } from '../families/discrete/multinomial.ts'
import { poisson } from '../families/discrete/poisson.ts'
import { exponential } from '../families/exponential/exponential.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import { studentT } from '../families/student-t/student-t.ts'
import { standardNormal } from '../numerics/random.ts'
import { familyLaws, type LawSubject } from './family-laws.ts'

// The laws of every family, 10,000 cases each, and a few of d = 64 and 256.
const runs = Number(process.env.EDDY_CASES ?? 10_000)

/**
 * Of how far the likelihood may fall. That of negative-binomial counts at a size between those of the grid is a polynomial's, up to 1.5e-5 nats a value
 * beside it.
 */
const betweenSizes = 1e-6

const normal = (random: () => number, j: number, group: number) => standardNormal(random) * (1 + (j % 3)) + group * 2
const subjects: Record<string, LawSubject> = {
  bernoulli: {
    make: (components, columns) => bernoulli({ components, columns }),
    value: (random, j, group) => (random() < (1 + ((group + j) % 3)) / 4 ? 1 : 0),
  },
  exponential: {
    make: (components, columns) => exponential({ components, columns }),
    value: (random, j, group) => -Math.log(1 - random()) * (1 + j) * 4 ** group,
  },
  'negative-binomial': {
    make: (components, columns) => negativeBinomial({ components, columns }),
    value: (random, j, group) => Math.floor(-Math.log(1 - random()) * (1 + j) * 4 ** group),
    monotoneTolerance: betweenSizes,
  },
  'zero-inflated': {
    make: (components, columns) => zeroInflated({ components, columns }),
    value: (random, j, group) => (random() < 0.4 ? 0 : Math.floor((random() + random()) * (1 + group * 3 + (j % 2)))),
  },
  poisson: {
    make: (components, columns) => poisson({ components, columns }),
    value: (random, j, group) => Math.floor((random() + random()) * (1 + group * 3 + (j % 2))),
  },
  categorical: {
    make: (components, columns) =>
      categorical({ components, categories: Array.from({ length: columns }, (_, j) => 2 + (j % 3)) }),
    value: (random, j, group) => Math.floor(random() ** (1 + group) * (2 + (j % 3))),
  },
  multinomial: {
    make: (components, columns) => multinomial({ components, columns }),
    value: (random, j, group) => Math.floor(random() * (1 + ((group + j) % 3) * 3)),
  },
}
for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const)
  subjects[`gaussian ${covariance}`] = {
    make: (components, columns) =>
      onKernel(gaussian({ components, columns, covariance, factors: Math.min(2, columns) })),
    value: normal,
    unbounded: true,
  }
for (const covariance of ['full', 'tied', 'diag', 'spherical'] as const)
  subjects[`student-t ${covariance}`] = {
    make: (components, columns) => onKernel(studentT({ components, columns, covariance })),
    value: (random, j, group) => normal(random, j, group) + (random() < 0.05 ? 20 : 0),
    unbounded: true,
  }

/** Half of the columns are exposures of the others. */
const halves = (components: number, columns: number) => ({
  components,
  columns: columns / 2,
  exposed: Array.from({ length: columns / 2 }, (_, j) => j),
})
for (const make of [poisson, negativeBinomial, zeroInflated]) {
  const subject: LawSubject = {
    make: (components, columns) => make(halves(components, columns)),
    value: (random, j, group) => Math.floor((random() + random()) * (2 + group * 3 + (j % 2))),
    valueColumns: columns => columns / 2,
    ...(make === negativeBinomial ? { monotoneTolerance: betweenSizes } : {}),
  }
  familyLaws(`${make(halves(1, 2)).name} under exposures, ${runs} cases`, subject, {
    runs,
    columns: [2, 4],
    timeout: 600_000,
  })
}

for (const [name, subject] of Object.entries(subjects)) {
  familyLaws(`${name}, ${runs} cases`, subject, { runs, columns: [1, 2, 3, 5], timeout: 600_000 })
  familyLaws(`${name}, d = 64`, subject, { runs: 10, columns: [64], maxRows: 6, timeout: 600_000 })
  familyLaws(`${name}, d = 256`, subject, { runs: 2, columns: [256], maxRows: 3, timeout: 600_000 })
}
