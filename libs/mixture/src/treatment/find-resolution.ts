import type { ValueCounts } from './value-counts.ts'

/** Of values with fewer repetitions than this, as a share of the events, none can hold a component. */
const LEAST_REPEATED = 0.1
/** Share of the events besides the most common value's that lie on the lattice of a resolution. */
const ON_LATTICE = 0.8
/** Steps of a lattice, times a power of ten. */
const STEPS = [5, 2.5, 2, 1]
/** Decades below the range of the values that are looked at. */
const DECADES = 7

/** A value of at least this share of the events is a common one. */
const COMMON = 0.01

/**
 * The width of the cells that values were rounded to, in their own unit: the largest step 1, 2, 2.5 or 5 times a power of ten on whose lattice
 * (from the most common value on) nearly all events lie. Where a few common values hold most events (a tariff, an index), they are at least as
 * wide as the distance between those, however many digits they are told to. Undefined where hardly any value occurs twice: no component can
 * sit on one.
 */
export function findResolution(counts: ValueCounts): number | undefined {
  const { values, weights, weight, events } = counts
  if (values.length < 2 || values.length > (1 - LEAST_REPEATED) * events) return undefined
  const common = valuesWhere(counts, i => weights[i]! >= COMMON * weight)
  const between = 2 * common.weight >= weight ? gapQuantile(common, 1 / 3) : undefined
  const step = latticeStep(counts)
  // Differences of doubles are off by their rounding.
  if (step !== undefined) return between !== undefined && between > 1.5 * step ? between : step
  return between ?? (values.length <= events / 2 ? gapQuantile(counts, 1 / 4) : undefined)
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

function valuesWhere({ values, weights, events }: ValueCounts, keep: (i: number) => boolean): ValueCounts {
  const kept = weights.filter((_, i) => keep(i))
  return { values: values.filter((_, i) => keep(i)), weights: kept, weight: kept.reduce((a, b) => a + b, 0), events }
}

/** A quantile over events of the distance to the nearest other value. Undefined for fewer than two values. */
function gapQuantile({ values, weights, weight }: ValueCounts, share: number): number | undefined {
  if (values.length < 2) return undefined
  const gaps = Array.from(values, (value, i) => ({
    gap: Math.min(i > 0 ? value - values[i - 1]! : Infinity, i + 1 < values.length ? values[i + 1]! - value : Infinity),
    weight: weights[i]!,
  })).sort((a, b) => a.gap - b.gap)
  let below = 0
  for (const { gap, weight: own } of gaps) {
    below += own
    if (below >= share * weight) return gap
  }
  return undefined
}
