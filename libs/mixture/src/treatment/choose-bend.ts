import { bendOf } from './bend.ts'
import { mixtureScore } from './mixture-score.ts'
import type { Treatment } from './treatment.ts'
import type { ValueCounts } from './value-counts.ts'

/** Log-likelihood by which another bend must be better than the default one, nats of the whole sample. */
const CONVINCING = 15
/** Distinct values that are looked at. */
const MOST_VALUES = 2000
/** A count begins this near to 0, in cells. */
const COUNT_START = 2

/** A bend with what it needs to know; the cells' width is among it. */
type Candidate = Pick<Treatment, 'transform' | 'offset' | 'bounds' | 'support' | 'resolution'>

/**
 * The bend under which gaussian mixtures describe a number best: none, log, sqrt or logit, compared by their likelihood in the number's own
 * units (the Jacobian included), see `mixtureScore`. The square root is the default of counts (their variance becomes ¼ whatever their mean),
 * none that of everything else.
 * @param counts the values without the atom
 * @param resolution width of the values' cells
 * @param bounds declared bounds: without them there is no logit
 */
export function chooseBend(
  counts: ValueCounts,
  resolution: number | undefined,
  bounds: readonly [number, number] | undefined,
): Candidate {
  const cell = resolution === undefined ? {} : { resolution }
  const none: Candidate = { transform: 'none', ...cell }
  if (counts.values.length < 3) return none
  const candidates = candidatesOf(counts, resolution, bounds)
  const isCount = resolution !== undefined && counts.values[0]! >= 0 && counts.values[0]! <= COUNT_START * resolution
  const usual = (isCount ? candidates.find(({ transform }) => transform === 'sqrt') : undefined) ?? none
  const sample = thin(counts)
  let best = usual
  let bestScore = score(usual, sample) + CONVINCING
  for (const candidate of [none, ...candidates]) {
    if (candidate === usual) continue
    const own = score(candidate, sample)
    if (own > bestScore) {
      best = candidate
      bestScore = own
    }
  }
  return best
}

function candidatesOf(
  { values }: ValueCounts,
  resolution: number | undefined,
  bounds: readonly [number, number] | undefined,
): Candidate[] {
  const least = values[0]!
  const most = values.at(-1)!
  const candidates: Candidate[] = []
  // A lattice may begin at 0: its cells are moved to where log and sqrt have an image of the whole of the first one.
  const offset = resolution ?? 0
  const cell = resolution === undefined ? {} : { resolution }
  if (resolution === undefined ? least > 0 : least >= 0) {
    const support = [least, most] as const
    candidates.push({ transform: 'log', offset, support, ...cell })
    candidates.push({ transform: 'sqrt', offset: offset / 2, support, ...cell })
  }
  if (bounds !== undefined && resolution === undefined && bounds[0] < least && most < bounds[1])
    candidates.push({ transform: 'logit', bounds, support: [least, most] })
  return candidates
}

/** At most `MOST_VALUES` of the distinct values, evenly spaced by rank, with all the weight. */
function thin({ values, weights, events }: ValueCounts): ValueCounts {
  const step = Math.max(1, values.length / MOST_VALUES)
  const size = Math.ceil(values.length / step)
  const chosen = Int32Array.from({ length: size }, (_, i) => Math.min(values.length - 1, Math.floor((i + 0.5) * step)))
  const sum = chosen.reduce((total, n) => total + weights[n]!, 0)
  // Events are what the penalty and the 15 nats count; what was left out counts as what was taken.
  const scale = Math.min(events, MOST_EVENTS) / sum
  return {
    values: Float64Array.from(chosen, n => values[n]!),
    weights: Float64Array.from(chosen, n => weights[n]! * scale),
    weight: sum * scale,
    events: Math.min(events, MOST_EVENTS),
  }
}

/** More events than this say no more about a shape. */
const MOST_EVENTS = 4000

/** Penalised log-likelihood of the sample in its own units, nats. */
function score(candidate: Candidate, { values, weights }: ValueCounts): number {
  const { bend, logDerivative } = bendOf(candidate, 1)
  const bent = values.map(bend)
  const { resolution } = candidate
  if (resolution === undefined)
    return mixtureScore(bent, weights) + values.reduce((sum, x, n) => sum + weights[n]! * logDerivative(x), 0)
  const cells = {
    lower: values.map((x, n) => (n === 0 ? -Infinity : bend(x - resolution / 2))),
    upper: values.map(x => bend(x + resolution / 2)),
  }
  return mixtureScore(bent, weights, cells)
}
