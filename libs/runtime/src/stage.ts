import { type Delivery, type EventLog, failpoint, type Publication } from '@eddy/log'
import { mergeMap, type Observable } from 'rxjs'

/** What a stage wants published, and the deliveries that are done once it is. */
export interface Emission {
  readonly publications: readonly Publication[]
  /** Acknowledged, and their positions committed in the same atomic step as the publications. */
  readonly settles: readonly Delivery[]
}

/** A pure pipeline from deliveries to emissions. Deliveries come one at a time a partition: the next only after the ack. */
export type Stage = (deliveries: Observable<Delivery>) => Observable<Emission>

export interface RunOptions {
  readonly log: EventLog
  readonly group: string
  /** while it says so, a full disk is waited for */
  readonly patient?: (() => boolean) | undefined
  /** Told of each emission after it is durable. */
  readonly onDurable?: (emission: Emission) => void
}

/**
 * Runs what a stage emits: publish, then acknowledge, in this one place. Emissions are given to the log in their order and
 * become durable side by side, so that no partition waits for another's transaction; there are never many, as a partition's
 * next delivery comes only after the ack. On a pipelined log the ack comes at once, and a stage goes on while what it has
 * published becomes durable. Completes when the deliveries do, with everything they led to durable; errors with the first
 * failure, nothing of the failed emission being settled.
 */
export function run(emissions: Observable<Emission>, options: RunOptions): Observable<Emission> {
  return emissions.pipe(mergeMap(emission => settle(emission, options)))
}

async function settle(emission: Emission, { log, group, patient, onDurable }: RunOptions): Promise<Emission> {
  const { publications, settles } = emission
  const acknowledge = (): void => {
    for (const delivery of settles) delivery.ack()
  }
  failpoint('before-publish')
  const durable =
    settles.length > 0
      ? log.publish(publications, { settles: { group, deliveries: settles }, ...(patient && { patient }) })
      : publications.length > 0
        ? log.publish(publications, patient && { patient })
        : undefined
  if (log.capabilities.pipelined) acknowledge()
  await durable
  failpoint('after-publish')
  acknowledge()
  onDurable?.(emission)
  return emission
}
