import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { committedPosition, counted, lagOf, learnedPosition, type PartitionLag, type Position } from '@eddy/runtime'
import { type Configuration, groupName } from '@eddy/settings'

/** How far a stage is behind in a partition. */
export interface StageLag extends PartitionLag {
  readonly stage: 'ingest' | 'scoring' | 'e-step' | 'updater'
  readonly topic: string
}

/** How far each stage is behind, by partition; the E-step and the updater by the ledger of the newest snapshot. */
export async function stageLags(
  log: EventLog,
  configuration: Pick<Configuration, 'model' | 'topics'>,
  snapshot: Snapshot | undefined,
): Promise<StageLag[]> {
  const { topics } = configuration
  const committed = (stage: string, topic: string): Promise<Position> =>
    committedPosition(log, topic, groupName(configuration, stage))
  const stages = [
    ['ingest', topics.events, await committed('ingest', topics.events)],
    ['scoring', topics.features, await committed('scoring', topics.features)],
    ['e-step', topics.features, learnedPosition(snapshot)],
    ['updater', topics.statistics, () => snapshot?.statisticsOffset ?? 0],
  ] as const
  const lags: StageLag[] = []
  for (const [stage, topic, position] of stages)
    for (const row of await lagOf(log, topic, position)) lags.push({ stage, topic, ...row })
  return lags
}

/** Where each stage stands that has something left to do, one line each; what it cannot read any more is named. */
export async function standing(
  log: EventLog,
  configuration: Pick<Configuration, 'model' | 'topics'>,
  snapshot: Snapshot | undefined,
): Promise<string[]> {
  const behind = (await stageLags(log, configuration, snapshot)).filter(({ lag }) => lag > 0)
  return Promise.all(
    behind.map(async ({ stage, topic, partition, position, end, lag }) => {
      const start = (await log.offsets(topic)).find(each => each.partition === partition)?.start ?? 0
      const gone =
        position < start
          ? `; offsets ${position} to ${start - 1} are stored no more, see \`eddy skip-lost --dry-run\``
          : ''
      const waiting = stage !== 'ingest' && snapshot === undefined ? '; there is no model yet' : ''
      return `${stage} stands at ${position} of ${end} in ${topic}/${partition}, ${counted(lag, 'record')} behind${gone}${waiting}`
    }),
  )
}
