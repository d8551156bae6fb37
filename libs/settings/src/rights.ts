import { ANONYMOUS, type KafkaRight } from '@eddy/log-kafka'
import type { Configuration } from './configuration.ts'
import { formerIngestGroup, groupName, readersGroup } from './groups.ts'

/** Who works on the cluster, each with a principal of its own: infra/kafka/principals.sh makes them. */
export const roles = ['ingest', 'em-worker', 'em-updater', 'scoring', 'producer', 'label-reader', 'operator'] as const
export type Role = (typeof roles)[number]

/**
 * What each role does on the cluster, and so may do: nothing else. As the broker sees it, Read and Write of a topic or group include
 * Describe, and AlterConfigs includes DescribeConfigs. DescribeConfigs tells whether a topic is compacted.
 */
export function rightsOf(
  configuration: Pick<Configuration, 'model' | 'topics'>,
): Readonly<Record<Role, readonly KafkaRight[]>> {
  const { topics } = configuration
  const group = (stage: string): string => groupName(configuration, stage)
  const on =
    (resource: KafkaRight['resource'], pattern: KafkaRight['pattern'] = 'literal') =>
    (name: string, ...operations: KafkaRight['operation'][]): KafkaRight[] =>
      operations.map(operation => ({ resource, name, pattern, operation }))
  const topic = on('topic')
  const reads = (name: string) => topic(name, 'Read', 'DescribeConfigs')
  const writes = (name: string) => topic(name, 'Write', 'DescribeConfigs')
  const joins = (name: string) => on('group')(name, 'Read')
  const looksAt = (name: string) => on('group')(name, 'Describe')
  const readsAlone = on('group', 'prefixed')(ANONYMOUS, 'Read')
  const publishesAlone = on('transactional-id', 'prefixed')(ANONYMOUS, 'Write')
  /** Transactional ids carry the group, the topic and the partition that are read. */
  const settles = (stage: string) => [
    ...joins(group(stage)),
    ...on('transactional-id', 'prefixed')(`${group(stage)}.`, 'Write'),
  ]
  const everyTopic = Object.values(topics)
  return {
    ingest: [
      ...reads(topics.events),
      ...writes(topics.features),
      ...writes(topics.deadLetters),
      ...settles('ingest'),
      // Where releases before were.
      ...looksAt(formerIngestGroup(configuration)),
      // Where its position is gone, its output tells it.
      ...reads(topics.features),
      // What is stored is compared with the configuration.
      ...reads(topics.snapshots),
      ...readsAlone,
      // `POST /v1/events`
      ...topic(topics.events, 'Write'),
      ...publishesAlone,
    ],
    'em-worker': [
      ...reads(topics.features),
      ...reads(topics.snapshots),
      ...writes(topics.statistics),
      ...settles('e-step'),
      ...readsAlone,
    ],
    'em-updater': [
      ...reads(topics.features),
      ...reads(topics.statistics),
      ...reads(topics.snapshots),
      ...topic(topics.snapshots, 'Write'),
      ...writes(topics.lineage),
      ...settles('updater'),
      ...readsAlone,
      ...publishesAlone,
    ],
    scoring: [
      ...reads(topics.features),
      ...reads(topics.snapshots),
      ...writes(topics.labels),
      ...writes(topics.deadLetters),
      ...settles('scoring'),
      // `GET /v1/labels`
      ...topic(topics.labels, 'Read'),
      ...readsAlone,
    ],
    producer: [...writes(topics.events), ...publishesAlone],
    'label-reader': [
      ...reads(topics.labels),
      ...on('group', 'prefixed')(readersGroup(configuration), 'Read'),
      ...readsAlone,
    ],
    operator: [
      ...everyTopic.flatMap(name => topic(name, 'Read', 'Create', 'DescribeConfigs', 'AlterConfigs')),
      ...[topics.events, topics.snapshots].flatMap(name => topic(name, 'Write')),
      ...['ingest', 'scoring'].flatMap(stage => looksAt(group(stage))),
      ...readsAlone,
      ...publishesAlone,
    ],
  }
}
