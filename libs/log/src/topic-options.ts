import { LogError, type TopicOptions, type TopicOutcome } from './event-log.ts'

/** @throws LogError when the options are out of bounds, or differ from the existing topic's in what cannot be changed */
export function checkTopicOptions(name: string, options: TopicOptions, existing?: Partial<TopicOptions>): void {
  const { partitions, cleanup, retentionMs, retentionBytes } = options
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..')
    throw new LogError(`topic: expected 1 to 249 letters, digits, ".", "_" or "-", got "${name}". Choose another name.`)
  if (!Number.isInteger(partitions) || partitions < 1)
    throw new LogError(`topic ${name}.partitions: expected a positive integer, got ${partitions}.`)
  if (cleanup !== 'delete' && cleanup !== 'compact')
    throw new LogError(`topic ${name}.cleanup: expected "delete" or "compact", got "${cleanup}".`)
  for (const [field, value] of Object.entries({ retentionMs, retentionBytes }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw new LogError(
        `topic ${name}.${field}: expected a positive integer, or none to keep everything, got ${value}.`,
      )
  if (existing?.partitions !== undefined && existing.partitions !== partitions)
    throw new LogError(
      `topic ${name}.partitions: expected the existing ${existing.partitions}, got ${partitions}. ` +
        'The partition of a key depends on their number: use another topic name, or configure the existing number.',
    )
  if (existing?.cleanup !== undefined && existing.cleanup !== cleanup)
    throw new LogError(
      `topic ${name}.cleanup: expected the existing "${existing.cleanup}", got "${cleanup}". Use another topic name, or configure the existing one.`,
    )
}

/** Whether a retention is asked for that is not the existing one. None asked for leaves the topic as it is. */
function retentionDiffers(asked: TopicOptions, existing: Partial<TopicOptions>): boolean {
  const { retentionMs, retentionBytes } = asked
  return (
    (retentionMs !== undefined && retentionMs !== existing.retentionMs) ||
    (retentionBytes !== undefined && retentionBytes !== existing.retentionBytes)
  )
}

/** What becomes of a topic. */
export function outcomeOf(
  topic: string,
  asked: TopicOptions,
  existing: Partial<TopicOptions> | undefined,
  alter: boolean,
): TopicOutcome {
  if (existing === undefined) return { topic, done: 'created' }
  if (!retentionDiffers(asked, existing)) return { topic, done: 'kept' }
  const { retentionMs, retentionBytes } = existing
  return {
    topic,
    done: alter ? 'altered' : 'kept',
    existing: {
      ...(retentionMs !== undefined && { retentionMs }),
      ...(retentionBytes !== undefined && { retentionBytes }),
    },
  }
}
