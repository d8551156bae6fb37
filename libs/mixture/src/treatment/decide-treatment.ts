import { chooseBend } from './choose-bend.ts'
import { findAtom } from './find-atom.ts'
import { findResolution } from './find-resolution.ts'
import type { DeclaredTreatment, Treatment } from './treatment.ts'
import { countValues, withoutValue } from './value-counts.ts'

/**
 * How one number enters a model, by a sample of it; what is declared of it wins.
 * @param column user's units, NaN where missing
 * @param weights shape (n), 1 each if absent
 */
export function decideTreatment(
  feature: DeclaredTreatment,
  column: Float64Array,
  weights: Float64Array | undefined,
): Treatment {
  const all = countValues(column, weights)
  const atom = feature.atom ?? findAtom(all)
  const rest = atom === undefined ? all : withoutValue(all, atom)
  const bend = chooseBend(rest, feature.resolution ?? findResolution(rest), feature.bounds)
  return atom === undefined ? bend : { ...bend, atom }
}
