import type { Parameters } from '../families/family.ts'
import { bendOf } from '../treatment/bend.ts'
import { treatmentOf } from '../treatment/treatment.ts'
import { atomsOf } from './atoms.ts'
import { columnsOfType, parametersOfType } from './create-mixture.ts'
import type { ModelSpecification } from './specification.ts'
import { toUserUnits } from './user-units.ts'

/** The normal density is integrated between ± this many standard deviations… */
const REACH = 12
/** …by the trapezoidal rule, at this many points: to rounding, of what is as smooth as a bend. */
const POINTS = 1201

/**
 * The mean of each number in each component, user's units with every bend undone: where a feature is bent or has an atom, this is not the
 * centre, which is a median. With y ~ N(m, s²) the bent number, u the inverse of the bend and p the probability of the atom a, it is
 * p a + (1 − p) E u(y), the expectation by quadrature; of log1p it is exp(m + s²/2) − 1.
 * @returns shape (K, numbers), in the order of the features of type `number`; NaN where there is none that can be told: a bent student-t
 * need not have a mean
 */
export function segmentMeans(specification: ModelSpecification, parameters: Parameters): number[][] {
  const numbers = columnsOfType(specification, 'number')
  if (numbers.length === 0) return Array.from({ length: specification.components }, () => [])
  const family = parametersOfType(specification, parameters, 'number')
  const user = toUserUnits(specification, parameters, family)
  const atoms = atomsOf(specification, parameters)
  return user.means.map((row, k) =>
    row.map((m, i) => {
      const j = numbers[i]!
      const treatment = treatmentOf(specification.features[j]!)
      const { unbend } = bendOf(treatment, parameters.transformPower![j]!)
      const mean =
        treatment.transform === 'none'
          ? m
          : specification.family !== 'gaussian'
            ? Number.NaN
            : normalMean(unbend, m, Math.sqrt(varianceOf(user, k, i)))
      const atom = atoms.get(j)
      if (atom === undefined) return mean
      const p = atom.probabilities[k]!
      return p === 1 ? atom.value : p * atom.value + (1 - p) * mean
    }),
  )
}

function varianceOf({ covariances, covarianceType }: ReturnType<typeof toUserUnits>, k: number, j: number): number {
  switch (covarianceType) {
    case 'spherical':
      return (covariances as number[])[k]!
    case 'diag':
      return (covariances as number[][])[k]![j]!
    case 'tied':
      return (covariances as number[][])[j]![j]!
    case 'full':
      return (covariances as number[][][])[k]![j]![j]!
  }
}

/** E f(m + s Z), Z standard normal; NaN where it is not finite. */
function normalMean(f: (y: number) => number, m: number, s: number): number {
  let sum = 0
  let weight = 0
  for (let i = 0; i < POINTS; i++) {
    const z = REACH * ((2 * i) / (POINTS - 1) - 1)
    const density = Math.exp(-0.5 * z * z)
    sum += density * f(m + s * z)
    weight += density
  }
  const mean = sum / weight
  return Number.isFinite(mean) ? mean : Number.NaN
}
