import { type Delivery, type EventLog, failpoint, type Publication } from '@eddy/log'
import { concatMap, mergeMap, type Observable } from 'rxjs'

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
  /** Told of each emission after it is durable. */
  readonly onDurable?: (emission: Emission) => void
}

/**
 * Runs what a stage emits: publish, then acknowledge, in this one place. Completes when the deliveries do, with everything they
 * led to durable; errors with the first failure, nothing of the failed emission being settled. On a pipelined log a stage goes on
 * while what it has published becomes durable.
 */
export function run(emissions: Observable<Emission>, options: RunOptions): Observable<Emission> {
  const publish = (emission: Emission): Promise<Emission> => settle(emission, options)
  return emissions.pipe(options.log.pipelined ? mergeMap(publish) : concatMap(publish))
}

async function settle(emission: Emission, { log, group, onDurable }: RunOptions): Promise<Emission> {
  const { publications, settles } = emission
  const acknowledge = (): void => {
    for (const delivery of settles) delivery.ack()
  }
  failpoint('before-publish')
  const durable =
    settles.length > 0
      ? log.publish(publications, { settles: { group, deliveries: settles } })
      : publications.length > 0
        ? log.publish(publications)
        : undefined
  if (log.pipelined) acknowledge()
  await durable
  failpoint('after-publish')
  acknowledge()
  onDurable?.(emission)
  return emission
}
