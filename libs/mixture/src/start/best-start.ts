import type { Mixture } from '../em/mixture.ts'
import { columnMeans } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { componentFamily, createMixture, freeParameters } from '../model/create-mixture.ts'
import type { Initialisation, ModelSpecification } from '../model/specification.ts'
import { applyTransform, estimateTransform } from '../model/transform.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { clusteringPoints } from './clustering-points.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'
import { initialParameters } from './initialisation.ts'
import { moveSegment } from './move-segment.ts'
import { wardGroups } from './ward.ts'

export interface BestStartOptions {
  readonly random: Random
  /** number of starts that are compared, ≥ 1; as many moves of a segment are tried from the best of them */
  readonly restarts?: number | undefined
  /** how each start is made; different ones if absent */
  readonly initialisation?: Initialisation | undefined
  readonly kernel?: Kernel | undefined
}

export const DEFAULT_RESTARTS = 20

/** Most events that starts are compared on, and for each free parameter: the rest of a sample tells no more about where to begin. */
const SEARCH_ROWS = 1024
const ROWS_A_PARAMETER = 4
/** Most events that a hierarchy is made of: its time is their number squared. */
const HIERARCHY_ROWS = 512
/** EM iterations before starts are compared, and before a move is. */
const SHORT = 12
/** Of every so many starts one goes on until it settles. */
const FINALISTS = 4
/** Most EM iterations of a run that settles, and the gain that ends it, nats per event. */
const LONG = 200
const SETTLED = 1e-5

/** Where a run of EM has come to. */
interface Run {
  readonly parameters: Parameters
  /** components that a few events hold, or the variance floor: their likelihood is none */
  readonly spikes: number
  /** nats per unit weight, model space */
  readonly logLikelihood: number
}

/**
 * Starting parameters for algorithms that see all events at once: of several short runs of EM those that came furthest go on until they
 * settle; from the best one, segments are merged, and others split, as long as that gains something (Ueda et al. 2000). Runs are compared by the
 * likelihood of the events they learned, and one with a spike loses to any without: its likelihood can be as large as it likes.
 * @param specification treated
 * @param block shape (rows ≥ 1, d), user's units
 * @returns in model space, the transform's arrays included
 */
export function bestStart(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  { random, restarts, initialisation, kernel }: BestStartOptions,
): Parameters {
  const transform = estimateTransform(specification, block, weights)
  const events = applyTransform(specification, transform, block).block
  const size = Math.max(SEARCH_ROWS, ROWS_A_PARAMETER * freeParameters(specification))
  const found = searched(specification, sampleOf(events, weights, size, random), {
    random,
    restarts,
    initialisation,
    kernel,
  })
  const mixture = createMixture(specification, kernel)
  const { parameters } =
    events.rows <= size ? found : settle(specification, mixture, events, weights, found.parameters, SHORT)
  return { ...parameters, ...transform }
}

interface Sample {
  readonly events: Block
  readonly weights: Float64Array | undefined
}

function sampleOf(events: Block, weights: Float64Array | undefined, size: number, random: Random): Sample {
  if (events.rows <= size) return { events, weights }
  const rows = permutation(events.rows, random).subarray(0, size).sort()
  return { events: takeRows(events, rows), weights: weights && Float64Array.from(rows, n => weights[n]!) }
}

/** The best run on a sample in model space. */
function searched(
  specification: ModelSpecification,
  { events, weights }: Sample,
  { random, restarts = DEFAULT_RESTARTS, initialisation, kernel }: BestStartOptions,
): Run {
  const mixture = createMixture(specification, kernel)
  const run = (start: Parameters, iterations: number) =>
    settle(specification, mixture, events, weights, start, iterations)
  const points = clusteringPoints(specification, events, weights)
  const K = specification.components
  const starts = Array.from({ length: K === 1 ? 1 : restarts }, (_, i) => {
    const of = initialisation ?? KINDS[i % KINDS.length]!
    if (of === 'hierarchy') return hierarchy(specification, events, points, weights, random, kernel)
    const warmUp = { ...specification.warmUp, initialisation: of }
    return initialParameters({ ...specification, warmUp }, events, weights, random, kernel)
  })
  let best = starts
    .map(start => run(start, SHORT))
    .sort(better)
    .slice(0, Math.ceil(starts.length / FINALISTS))
    .map(({ parameters }) => run(parameters, LONG))
    .sort(better)[0]!
  for (let tries = 0, failed = 0; K > 1 && tries < 2 * restarts && failed < restarts; tries++, failed++) {
    const moved = moveSegment({ specification, mixture, events, points, weights, random, kernel }, best.parameters)
    const short = run(moved, SHORT)
    if (short.spikes > best.spikes || short.logLikelihood < best.logLikelihood - HOPELESS) continue
    const long = run(short.parameters, LONG)
    if (long.spikes > best.spikes || long.logLikelihood < best.logLikelihood + WORTHWHILE) continue
    best = long
    failed = -1
  }
  return best
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
function settle(
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
      return { parameters, spikes: spikesOf(specification, parameters, weight), logLikelihood: mean }
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
