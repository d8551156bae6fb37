import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { ledgerOf, nextOffset } from '@eddy/model'

/** Where a stage goes on in a partition. */
export type Position = (partition: number) => number

/** How far a stage is behind in a partition. */
export interface PartitionLag {
  readonly partition: number
  readonly position: number
  /** offset the next record will get */
  readonly end: number
  /** records still to do */
  readonly lag: number
}

/** Where a group has committed to go on; `begin` where it has no position. */
export async function committedPosition(
  log: Pick<EventLog, 'positions'>,
  topic: string,
  group: string,
  begin = 0,
): Promise<Position> {
  const positions = await log.positions(topic, group)
  return partition => positions.get(partition) ?? begin
}

/** Where learning goes on: the E-step commits nothing, the ledger says what it has led to. */
export function learnedPosition(snapshot: Pick<Snapshot, 'ledger'> | undefined): Position {
  const ledger = ledgerOf(snapshot?.ledger ?? [])
  return partition => nextOffset(ledger, partition)
}

/** How far each partition of a topic goes beyond a position. */
export async function lagOf(
  log: Pick<EventLog, 'offsets'>,
  topic: string,
  position: Position,
): Promise<readonly PartitionLag[]> {
  const offsets = await log.offsets(topic)
  return offsets.map(({ partition, end }) => {
    const at = position(partition)
    return { partition, position: at, end, lag: Math.max(0, end - at) }
  })
}

/** Over all partitions. */
export const totalLag = (lags: readonly PartitionLag[]): number => lags.reduce((sum, { lag }) => sum + lag, 0)
