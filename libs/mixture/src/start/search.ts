import type { Mixture } from '../em/mixture.ts'
import { columnMeans } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import { empty, type Parameters, type Statistics, scale } from '../families/family.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { componentFamily, createMixture } from '../model/create-mixture.ts'
import type { Initialisation, ModelSpecification } from '../model/specification.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { clusteringPoints } from './clustering-points.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'
import { initialParameters } from './initialisation.ts'
import { moveSegment } from './move-segment.ts'
import { wardGroups } from './ward.ts'

export interface SearchOptions {
  readonly random: Random
  /** number of starts that are compared, ≥ 1, and of moves that are tried from the best of them; default: the specification's, as is how they are made */
  readonly restarts?: number | undefined
  readonly initialisation?: Initialisation | undefined
  /** most of a run; default: the specification's */
  readonly iterations?: number | undefined
  readonly kernel?: Kernel | undefined
  /** parameters in model space that are compared with the starts */
  readonly from?: Parameters | undefined
}

/** Most events that a hierarchy is made of: its time is their number squared. */
const HIERARCHY_ROWS = 512
/** EM iterations before starts are compared, and before a move is. */
export const SHORT = 12
/** Of every so many starts one goes on until it settles. */
const FINALISTS = 4
/** The gain of an iteration that ends a run, nats per event. */
const SETTLED = 1e-5

export interface Sample {
  readonly events: Block
  readonly weights: Float64Array | undefined
}

/** Where a run of EM has come to. */
export interface Run {
  readonly parameters: Parameters
  /** under the parameters, mean per unit weight */
  readonly statistics: Statistics
  /** components that a few events hold, or the variance floor: their likelihood is none */
  readonly spikes: number
  /** nats per unit weight, model space */
  readonly logLikelihood: number
}

/** Most events of a stream that a search is made on. */
export const SEARCH_ROWS = 4096

/** At most `size` of the events, drawn at random. */
export function sampleOf({ events, weights }: Sample, size: number, random: Random): Sample {
  if (events.rows <= size) return { events, weights }
  const rows = permutation(events.rows, random).subarray(0, size).sort()
  return { events: takeRows(events, rows), weights: weights && Float64Array.from(rows, n => weights[n]!) }
}

/**
 * The best of several runs of EM on a sample: those that came furthest in a few iterations go on until they settle; from the best one, segments are merged, and others
 * split, as long as that gains something (Ueda et al. 2000). Runs are compared by the likelihood of the events they learned, and one with a
 * spike loses to any without: its likelihood can be as large as it likes.
 */
export function search(specification: ModelSpecification, sample: Sample, options: SearchOptions): Run {
  const { events, weights } = sample
  const { warmUp } = specification
  const { random, kernel, from, restarts = warmUp.restarts, iterations = warmUp.iterations } = options
  const short = Math.min(SHORT, iterations)
  const mixture = createMixture(specification, kernel)
  const run = (start: Parameters, iterations: number) =>
    settle(specification, mixture, events, weights, start, iterations)
  const points = clusteringPoints(specification, events, weights)
  const K = specification.components
  const starts = startsOf(specification, sample, { ...options, restarts: K === 1 ? 1 : restarts })
  if (from !== undefined) starts.push(from)
  let best = starts
    .map(start => run(start, short))
    .sort(better)
    .slice(0, Math.ceil(starts.length / FINALISTS))
    .map(({ parameters }) => run(parameters, iterations))
    .sort(better)[0]!
  for (let tries = 0, failed = 0; K > 1 && tries < 2 * restarts && failed < restarts; tries++, failed++) {
    const moved = moveSegment({ specification, mixture, events, points, weights, random, kernel }, best.parameters)
    const begun = run(moved, short)
    if (begun.spikes > best.spikes || begun.logLikelihood < best.logLikelihood - HOPELESS) continue
    const long = run(begun.parameters, iterations)
    if (long.spikes > best.spikes || long.logLikelihood < best.logLikelihood + WORTHWHILE) continue
    best = long
    failed = -1
  }
  return best
}

/** Where runs begin: in different ways by turns, unless one is asked for. */
export function startsOf(
  specification: ModelSpecification,
  { events, weights }: Sample,
  { random, kernel, restarts, initialisation }: SearchOptions,
): Parameters[] {
  const { warmUp } = specification
  const how = initialisation ?? warmUp.initialisation
  const points = clusteringPoints(specification, events, weights)
  return Array.from({ length: restarts ?? warmUp.restarts }, (_, i) => {
    const of = how === 'auto' ? KINDS[i % KINDS.length]! : how
    return of === 'hierarchy'
      ? hierarchy(specification, events, points, weights, random, kernel)
      : initialParameters(specification, of, events, weights, random, kernel)
  })
}

/** What a move must gain, nats per event: the search ends. */
const WORTHWHILE = 1e-4

const KINDS = ['hierarchy', 'kmeans++', 'split', 'random'] as const

/** A move that is this much worse after a few iterations is not followed, nats per event. */
const HOPELESS = 0.02

/** Fewer spikes first, then the larger likelihood. */
function better(a: Run, b: Run): number {
  return a.spikes - b.spikes || b.logLikelihood - a.logLikelihood
}

/** EM until it gains less than `SETTLED`, or has run `iterations` times. */
export function settle(
  specification: ModelSpecification,
  mixture: Mixture,
  events: Block,
  weights: Float64Array | undefined,
  start: Parameters,
  iterations: number,
): Run {
  let parameters = start
  let last = -Infinity
  for (let i = 0; ; i++) {
    const statistics = empty(mixture)
    const { logLikelihood, weight } = mixture.expectation(parameters, events, weights, statistics)
    const mean = logLikelihood / weight
    if (i >= iterations || !(mean - last > SETTLED))
      return {
        parameters,
        statistics: weight > 0 ? scale(statistics, 1 / weight) : statistics,
        spikes: spikesOf(specification, parameters, weight),
        logLikelihood: mean,
      }
    last = mean
    parameters = mixture.maximise(statistics, specification.prior, parameters)
  }
}

/** How many components say nothing of the next event: held at the floor, or by hardly more events than it takes to fit them exactly. */
function spikesOf(specification: ModelSpecification, parameters: Parameters, weight: number): number {
  const shares = parameters.weights!
  const floored = componentFamily(specification).floored?.(parameters, shares, specification.prior.varianceFloor)
  const least = specification.covariance === 'tied' ? 0 : LEAST_EVENTS
  return shares.reduce((sum, share, k) => sum + (floored?.[k] === true || share * weight < least ? 1 : 0), 0)
}

/** Of a component with a covariance of its own. */
const LEAST_EVENTS = 2

/** A start from the tree of some of the events, each of the others with the centre that is nearest. */
function hierarchy(
  specification: ModelSpecification,
  events: Block,
  points: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel: Kernel | undefined,
): Parameters {
  const K = specification.components
  const chosen = permutation(events.rows, random).subarray(0, HIERARCHY_ROWS).sort()
  const sample = filled(takeRows(points, chosen), columnMeans(points, weights))
  const groups = wardGroups(sample, K)
  const responsibilities = new Float64Array(chosen.length * K)
  groups.forEach((group, n) => {
    responsibilities[n * K + group] = weights?.[chosen[n]!] ?? 1
  })
  return parametersFromResponsibilities(specification, takeRows(events, chosen), undefined, responsibilities, kernel)
}

function filled(block: Block, means: Float64Array): Block {
  const { columns } = block
  return { ...block, values: block.values.map((x, i) => (Number.isNaN(x) ? means[i % columns]! : x)) }
}
