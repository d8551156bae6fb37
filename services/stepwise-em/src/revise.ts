import type { Snapshot } from '@eddy/messages'
import { type Kernel, type ModelSpecification, REVISION_SAMPLE, random, relearn, soundSample } from '@eddy/mixture'
import { ledgerOf } from '@eddy/model'
import { historyOf, type LearnedEvents } from './learned-events.ts'
import { replacedComponents } from './replaced-components.ts'
import { sampleEvents } from './sample-events.ts'

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
 * Learns the components of a snapshot anew from a sample of what has been learned, and takes the new ones if they are better: see `relearn`.
 * All events that are still stored then go through one E-step under them, so that what was learned before counts for as much as ever.
 * With a half-life, all of this looks back as far as two of them.
 * @returns undefined where too few events are stored
 */
export async function revise(snapshot: Snapshot, options: RevisionOptions): Promise<Revision | undefined> {
  const { events, seed, kernel } = options
  const specification = JSON.parse(snapshot.specification) as ModelSpecification
  const ledger = ledgerOf(snapshot.ledger)
  const most = historyOf(specification)
  const next = random(seed)
  const { block, weights } = await sampleEvents(events, ledger, { size: REVISION_SAMPLE, most, random: next })
  if (block.rows < soundSample(specification)) return undefined
  const learned = snapshot.ledger.reduce((sum, entry) => sum + entry.events, 0n)
  const complete = BigInt(block.rows) >= learned
  const running = { specification, parameters: snapshot.parameters }
  const judgement = relearn(running, block, weights, complete, next, kernel)
  const { better, gain, gainError, expectedLogLikelihood } = judgement
  const judged = { ...snapshot, expectedLogLikelihood, surprise: 0, judgedWeight: snapshot.weight }
  if (!better) return { snapshot: judged, gain, gainError, events: block.rows }

  const ranges = await events.newest(ledger, most)
  const components = { specification, parameters: judgement.parameters }
  const { snapshot: replaced, changed } = await replacedComponents(judged, components, events, ranges, {
    sample: block,
    ...(kernel === undefined ? {} : { kernel }),
  })
  return { snapshot: replaced, changed, gain, gainError, events: block.rows }
}
