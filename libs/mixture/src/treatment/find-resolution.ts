import type { ValueCounts } from './value-counts.ts'

/** Of values with fewer repetitions than this, as a share of the events, none can hold a component. */
const LEAST_REPEATED = 0.1
/** Share of the events besides the most common value's that lie on the lattice of a resolution. */
const ON_LATTICE = 0.8
/** Steps of a lattice, times a power of ten. */
const STEPS = [5, 2.5, 2, 1]
/** Decades below the range of the values that are looked at. */
const DECADES = 7

/**
 * The width of the cells that values were rounded to, in their own unit: the largest step 1, 2, 2.5 or 5 times a power of ten on whose lattice
 * (from the most common value on) nearly all events lie. Repeated values on no lattice (a tariff, an index): the lower quartile over events of
 * the distance to the next value. Undefined where hardly any value occurs twice: no component can sit on one.
 */
export function findResolution(counts: ValueCounts): number | undefined {
  const { values, events } = counts
  if (values.length < 2 || values.length > (1 - LEAST_REPEATED) * events) return undefined
  return latticeStep(counts) ?? typicalGap(counts)
}

function latticeStep({ values, weights, weight }: ValueCounts): number | undefined {
  const common = weights.indexOf(Math.max(...weights))
  const origin = values[common]!
  const range = values.at(-1)! - values[0]!
  const top = Math.ceil(Math.log10(range))
  const off = (1 - ON_LATTICE) * (weight - weights[common]!)
  for (let decade = top; decade >= top - DECADES; decade--) {
    // A negative power of ten is not a double; its inverse is.
    const unit = decade < 0 ? 1 / 10 ** -decade : 10 ** decade
    for (const step of STEPS) {
      const width = step * unit
      if (width > range * (1 + 1e-9)) continue
      let missed = 0
      for (let i = 0; i < values.length && missed <= off; i++) {
        const steps = (values[i]! - origin) / width
        const rounding = 1e-9 + (4 * Number.EPSILON * Math.abs(values[i]!)) / width
        if (Math.abs(steps - Math.round(steps)) > rounding) missed += weights[i]!
      }
      if (missed <= off) return width
    }
  }
  return undefined
}

function typicalGap({ values, weights, weight, events }: ValueCounts): number | undefined {
  // On no lattice: only values that are mostly repeated are told from chance.
  if (values.length > events / 2) return undefined
  const gaps = Array.from(values, (value, i) => ({
    gap: Math.min(i > 0 ? value - values[i - 1]! : Infinity, i + 1 < values.length ? values[i + 1]! - value : Infinity),
    weight: weights[i]!,
  })).sort((a, b) => a.gap - b.gap)
  let below = 0
  for (const { gap, weight: own } of gaps) {
    below += own
    if (below >= weight / 4) return gap
  }
  return undefined
}
