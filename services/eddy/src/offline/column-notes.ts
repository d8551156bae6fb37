import type { FeatureMatrix } from '@eddy/records'
import { plural } from '@eddy/runtime'

/** Of columns that have one value in all events, or none, one sentence: they tell nothing of segments. */
export function constantNotes({ columns, rows, values }: FeatureMatrix): string[] {
  const d = columns.length
  const constant = columns.filter((_, j) => {
    let seen = Number.NaN
    for (let n = 0; n < rows; n++) {
      const value = values[n * d + j]!
      if (Number.isNaN(value)) continue
      if (!Number.isNaN(seen) && value !== seen) return false
      seen = value
    }
    return true
  })
  if (constant.length === 0) return []
  const names = constant.map(({ name }) => name).join(', ')
  return [
    `${names} ${plural(constant.length, 'has')} one value in all events, and ${plural(constant.length, 'tells')} nothing of segments.`,
  ]
}
