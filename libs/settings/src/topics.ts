import type { TopicOptions } from '@eddy/log'
import type { Configuration } from './configuration.ts'

/** How each topic is kept. Events, features, labels and dead letters have the same partitions; the rest belong to one model each. */
export function topicOptions({ topics, log }: Pick<Configuration, 'topics' | 'log'>): Record<string, TopicOptions> {
  const retentionMs = log.retentionHours * 3_600_000
  const stream: TopicOptions = { partitions: log.partitions, cleanup: 'delete', retentionMs }
  return {
    [topics.events]: stream,
    [topics.features]: stream,
    [topics.labels]: stream,
    [topics.deadLetters]: stream,
    [topics.statistics]: { partitions: 1, cleanup: 'delete', retentionMs: Math.min(retentionMs, 86_400_000) },
    [topics.snapshots]: { partitions: 1, cleanup: 'compact' },
    [topics.lineage]: { partitions: 1, cleanup: 'delete' },
  }
}
