/**
 * Place of the largest of `count` numbers from `from` on, counted from there. Of equals it is the first: events between two components go to
 * the one with the smaller number, everywhere alike. NaN is never larger.
 */
export function indexOfLargest(values: Float64Array, from = 0, count: number = values.length - from): number {
  let best = 0
  for (let k = 1; k < count; k++) if (values[from + k]! > values[from + best]!) best = k
  return best
}
