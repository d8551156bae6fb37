import { type EventLog, LogError, type StoredRecord } from '@eddy/log'
import type { Logger } from '@eddy/runtime'
import type { Configuration } from '@eddy/settings'
import { belongsTo } from './belongs-to.ts'
import { longestCustomerId } from './validate.ts'

/** Records removed, by topic. */
export type Forgotten = Readonly<Record<string, number>>

export interface ForgetOptions {
  readonly log: EventLog
  readonly configuration: Pick<Configuration, 'topics'>
  /** names of the features, whose values are nobody's id */
  readonly features: readonly string[]
  /** who asks for it, for the audit log */
  readonly by: string
  /** told who was erased, by whom, and how much */
  readonly logger: Pick<Logger, 'info'>
}

/**
 * Removes every record of a customer from events, features, labels and dead letters, for good; which those are, `belongsTo` says. What a
 * model has learned from the customer stays in its aggregates.
 * @param customer the id as it is stored
 * @throws LogError on a log that cannot erase (Kafka: see docs/erasure.md)
 */
export async function forget(
  customer: string,
  { log, configuration: { topics }, features, by, logger }: ForgetOptions,
): Promise<Forgotten> {
  const { erasure } = log.capabilities
  if (erasure === undefined)
    throw new LogError(
      'forget: expected the embedded log, got Kafka, which removes records by retention only. See docs/erasure.md for what to do there.',
    )
  if (customer === '' || customer.length > longestCustomerId)
    throw new RangeError(`customer: expected an id of 1 to ${longestCustomerId} characters, got ${customer.length}`)
  const id = Buffer.from(customer)
  const hasTheirKey = ({ key }: StoredRecord): boolean => key !== null && id.equals(key)
  // What producers sent may have any key, and any value.
  const isTheirs = belongsTo(customer, features)
  const forgotten: Record<string, number> = {}
  for (const [topic, matches] of [
    [topics.events, isTheirs],
    [topics.features, hasTheirKey],
    [topics.labels, hasTheirKey],
    [topics.deadLetters, isTheirs],
  ] as const)
    forgotten[topic] = await erasure.erase(topic, matches)
  await erasure.scrub()
  logger.info({ audit: 'forget', by, customer, forgotten }, 'a customer was erased')
  return forgotten
}
