import type { Snapshot } from '@eddy/messages'
import {
  empty,
  type Kernel,
  type ModelSpecification,
  matchComponents,
  perUnitWeight,
  REVISION_SAMPLE,
  random,
  relearn,
  scale,
  soundSample,
  specifiedModel,
  squaredSum,
} from '@eddy/mixture'
import { ledgerOf } from '@eddy/model'
import type { LearnedEvents } from './learned-events.ts'
import { sampleEvents } from './sample-events.ts'

/** The newest events: those that are sampled, and that new components are given the statistics of. */
const HISTORY = 2 ** 20

/** A new component goes on as the segment it has at least so much in common with. */
const SAME_SEGMENT = 0.3

/** What judging the components of a snapshot led to. */
export interface Revision {
  /** with other components if they were found better, else with what is expected of these */
  readonly snapshot: Snapshot
  /** ids of segments that came and went; absent where the components stay */
  readonly changed?: { readonly born: readonly string[]; readonly gone: readonly string[] }
  readonly gain: number
  readonly gainError: number
  readonly events: number
}

export interface RevisionOptions {
  readonly events: LearnedEvents
  readonly seed: number
  readonly kernel?: Kernel
}

/**
 * Learns the components of a snapshot anew from a sample of what has been learned, and takes the new ones if they explain events better that were kept back.
 * All events that are still stored then go through one E-step under them, so that what was learned before counts for as much as ever.
 * With a half-life, all of this looks back as far as two of them.
 * @returns undefined where too few events are stored
 */
export async function revise(snapshot: Snapshot, options: RevisionOptions): Promise<Revision | undefined> {
  const { events, seed, kernel } = options
  const specification = JSON.parse(snapshot.specification) as ModelSpecification
  const { halfLife = Number.POSITIVE_INFINITY } = specification.stepSize
  const ledger = ledgerOf(snapshot.ledger)
  const most = Math.min(HISTORY, Math.ceil(2 * halfLife))
  const next = random(seed)
  const { block, weights } = await sampleEvents(events, ledger, { size: REVISION_SAMPLE, most, random: next })
  if (block.rows < soundSample(specification)) return undefined
  const { parameters: old } = snapshot
  const judgement = relearn({ specification, parameters: old }, block, weights, next, kernel)
  const { better, gain, gainError, expectedLogLikelihood } = judgement
  const judged = { ...snapshot, expectedLogLikelihood, surprise: 0, judgedWeight: snapshot.weight }
  if (!better) return { snapshot: judged, gain, gainError, events: block.rows }

  const { mixture, expectation } = specifiedModel(specification, kernel)
  const statistics = empty(mixture)
  let weight = 0
  let squares = 0
  await events.visit(await events.newest(ledger, most), (part, w) => {
    weight += expectation(judgement.parameters, part, w, statistics).weight
    squares += squaredSum(w, part.rows)
  })
  scale(statistics, 1 / weight)
  const effectiveSampleSize = weight ** 2 / squares
  const prior = perUnitWeight(specification.prior, effectiveSampleSize)
  const parameters = mixture.maximise(statistics, prior, judgement.parameters)
  const epoch = snapshot.version + 1n
  const matching = matchComponents({ specification, parameters: old }, { specification, parameters }, block, kernel)
  let { segmentsBorn } = snapshot
  if (segmentsBorn === 0) segmentsBorn = snapshot.segments.length
  const born: string[] = []
  const segments = Array.from(matching.earlier, (j, k) => {
    if (matching.overlap[k]! >= SAME_SEGMENT) return snapshot.segments[j]!
    const id = `s${++segmentsBorn}`
    born.push(id)
    return { id, since: epoch }
  })
  const kept = new Set(segments.map(({ id }) => id))
  const gone = snapshot.segments.map(({ id }) => id).filter(id => !kept.has(id))
  return {
    snapshot: {
      ...judged,
      parameters,
      statistics,
      segments,
      segmentsBorn,
      epoch,
      effectiveSampleSize,
      weight,
      judgedWeight: weight,
    },
    changed: { born, gone },
    gain,
    gainError,
    events: block.rows,
  }
}
