import type { Snapshot } from '@eddy/messages'
import {
  type Kernel,
  type LearnedAnew,
  learnAnew,
  leastExpected,
  type ModelSpecification,
  REVISION_SAMPLE,
  random,
  soundSample,
} from '@eddy/mixture'
import type { Ledger } from '@eddy/model'
import { historyOf, type LearnedEvents } from './learned-events.ts'
import { type Replaced, replacedComponents, type Views } from './replaced-components.ts'
import { sampleEvents } from './sample-events.ts'

/** A model learned beside a snapshot from the same events, and how the two compare. */
export interface Beside extends Replaced, Pick<LearnedAnew, 'heldOut' | 'before' | 'after' | 'gain'> {}

export interface BesideOptions {
  readonly events: LearnedEvents
  /** how far those reach that count */
  readonly ledger: Ledger
  readonly views: Views
  readonly seed: number
  readonly kernel?: Kernel
}

/**
 * Learns a model of another form from stored events: from a sample of them first, of which a part is kept back to compare the two; then all go
 * through one E-step under it. Depends on the log, the forms and the seed alone.
 * @param declared the form to learn
 * @returns the snapshot as it would go on, with its own ledger; undefined where too few events are stored
 */
export async function learnBeside(
  snapshot: Snapshot,
  declared: ModelSpecification,
  { events, ledger, views, seed, kernel }: BesideOptions,
): Promise<Beside | undefined> {
  const most = historyOf(declared)
  const next = random(seed)
  const { block, weights } = await sampleEvents(events, ledger, { size: REVISION_SAMPLE, most, random: next })
  if (block.rows < soundSample(declared)) return undefined
  const old = {
    specification: JSON.parse(snapshot.specification) as ModelSpecification,
    parameters: snapshot.parameters,
  }
  const seen = { before: views.before(block), after: views.after(block) }
  const learned = learnAnew(old, declared, seen, weights, next, kernel)
  const ranges = await events.newest(ledger, most)
  const options = { sample: block, views, ...(kernel === undefined ? {} : { kernel }) }
  const replaced = await replacedComponents(snapshot, learned, events, ranges, options)
  const { heldOut, before, after, gain } = learned
  const expectedLogLikelihood = leastExpected(after.mean, after.error)
  const judged = { ...replaced.snapshot, expectedLogLikelihood, prequentialLogLikelihood: after.mean }
  return { ...replaced, snapshot: judged, heldOut, before, after, gain }
}
