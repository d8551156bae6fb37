import type { EraseOptions, Erasure, EventLog } from '@eddy/log'
import { type Configuration, groupName } from '@eddy/settings'
import { belongsTo, keyIsOf } from './belongs-to.ts'

/** Records removed, by topic. */
export type Forgotten = Readonly<Record<string, number>>

export interface ForgetOptions {
  readonly log: EventLog
  readonly configuration: Pick<Configuration, 'topics' | 'model'>
  /** names of the features, whose values are nobody's id */
  readonly features: readonly string[]
}

/** How a topic's records are removed. */
export type EraseTopic = (topic: string, erase: (options: EraseOptions) => Promise<number>) => Promise<void>

/**
 * Removes every record of customers from events, features, labels and dead letters; which those are, `belongsTo` says. In the order in
 * which data flows, and each topic once the stage before it is done with what it had been handed: so that nothing comes after, made of
 * what was under way. What is removed is still on the disk until a scrub; what a model has learned stays in its aggregates.
 * @param customers the ids as they are stored
 */
export async function forget(
  customers: readonly string[],
  erasure: Erasure,
  { configuration, features }: Omit<ForgetOptions, 'log'>,
  each: EraseTopic,
): Promise<void> {
  const { topics } = configuration
  // What producers sent may have any key, and any value.
  const isTheirs = belongsTo(customers, features)
  const hasTheirKey = keyIsOf(customers)
  await each(topics.events, options => erasure.erase(topics.events, isTheirs, options))
  await erasure.passed(topics.events, groupName(configuration, 'ingest'))
  await each(topics.features, options => erasure.erase(topics.features, hasTheirKey, options))
  await each(topics.deadLetters, options => erasure.erase(topics.deadLetters, isTheirs, options))
  await erasure.passed(topics.features, groupName(configuration, 'scoring'))
  await each(topics.labels, options => erasure.erase(topics.labels, hasTheirKey, options))
}
