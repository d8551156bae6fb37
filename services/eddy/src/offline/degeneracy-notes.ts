import { type Degeneracy, degeneracies, type Model } from '@eddy/mixture'
import { counted, plural } from '@eddy/runtime'
import { percent } from '../command-line/figures.ts'
import { segmentId } from './evaluate-model.ts'

/** What is to be said of a fitted model's segments that are none, one sentence each. @param weight Σ of the events' weights */
export function degeneracyNotes(model: Model, rows: number, weight: number): string[] {
  const found = degeneracies(model, weight)
  const { features } = model.specification
  const names = (indices: readonly number[]) => indices.map(j => features[j]!.name).join(', ')
  const sentence: Record<Degeneracy['kind'], (of: Degeneracy) => string> = {
    value: of => `has one value of ${names(of.features)}: its variance is held at the floor`,
    collinear: of => `has ${names(of.features)} depending on one another exactly: it is held at the variance floor`,
    empty: () => 'holds less than one event',
  }
  const notes = found.map(of => `${segmentId(of.component)} (${percent(of.share)}) ${sentence[of.kind](of)}.`)
  const held = found.filter(({ kind }) => kind !== 'empty').reduce((sum, { share }) => sum + share, 0)
  if (held > 0)
    notes.push(
      `${percent(held)} of the weight is in segments at the variance floor: the likelihood is as large as the floor is small, and says ` +
        'nothing about new events. Leave --transform at auto, say --resolution, or take fewer segments.',
    )
  const { length: d } = features
  if (rows < d)
    notes.push(
      `${counted(rows, 'event')} ${plural(rows, 'tells')} too little of ${counted(d, 'feature')}: a covariance needs more events than features.`,
    )
  return notes
}
