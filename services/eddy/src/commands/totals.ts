import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { describeSegments, type SegmentDescription } from '@eddy/model'
import type { Configuration } from '@eddy/settings'

/** Totals of a data directory: the last line of `eddy up --json`. */
export interface Totals {
  readonly events: number
  readonly labels: number
  readonly deadLetters: number
  readonly segments: readonly SegmentDescription[]
  /** version of the newest snapshot, 0 before the first */
  readonly snapshot: number
}

/** Counts every record ever appended, whether retention has dropped it or not. */
export async function totals(
  log: EventLog,
  { topics }: Configuration,
  snapshot: Snapshot | undefined,
): Promise<Totals> {
  const count = async (topic: string): Promise<number> =>
    (await log.offsets(topic)).reduce((sum, { end }) => sum + end, 0)
  const [events, labels, deadLetters] = await Promise.all([topics.events, topics.labels, topics.deadLetters].map(count))
  return {
    events: events as number,
    labels: labels as number,
    deadLetters: deadLetters as number,
    segments: snapshot === undefined ? [] : describeSegments(snapshot),
    snapshot: Number(snapshot?.version ?? 0n),
  }
}
