import type { EnsureOptions, TopicOptions } from '@eddy/log'
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

/**
 * Settings of topics on Kafka besides. Ours are kept by when they were written: they take over the times of the events, and a backfill of old
 * ones would be dropped before anybody has read it. Events keep their producers' times.
 */
export function topicSettings({ topics }: Pick<Configuration, 'topics'>): NonNullable<EnsureOptions['settings']> {
  const written = [topics.features, topics.statistics, topics.labels, topics.deadLetters]
  return Object.fromEntries(written.map(topic => [topic, { 'message.timestamp.type': 'LogAppendTime' }]))
}
