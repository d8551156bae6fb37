import { type EventLog, LogError, type StoredRecord } from '@eddy/log'
import type { EmbeddedLog } from '@eddy/log/embedded'
import type { Configuration } from '../configuration.ts'

/** Records removed, by topic. */
export type Forgotten = Readonly<Record<string, number>>

/**
 * Removes every record of a customer from events, features, labels and dead letters, for good. A dead letter also goes when its bytes
 * name the customer, whether or not they could be decoded. What a model has learned from the customer stays in its aggregates.
 * @param customer the id as it is stored
 * @throws LogError on a log that cannot erase (Kafka: see docs/erasure.md)
 */
export async function forget(
  log: EventLog,
  { topics }: Pick<Configuration, 'topics'>,
  customer: string,
): Promise<Forgotten> {
  if (!('erase' in log))
    throw new LogError(
      'forget: expected the embedded log, got Kafka, which removes records by retention only. See docs/erasure.md for what to do there.',
    )
  const embedded = log as EmbeddedLog
  const id = Buffer.from(customer)
  const quoted = [
    JSON.stringify(customer),
    ...(/^\d+$/.test(customer) ? [`"customer":${customer},`, `"customer":${customer}}`] : []),
  ]
  const isTheirs = ({ key }: StoredRecord): boolean => key !== null && id.equals(key)
  const namesThem = (record: StoredRecord): boolean =>
    isTheirs(record) ||
    (record.value !== null && quoted.some(text => Buffer.from(record.value as Uint8Array).includes(text)))
  const forgotten: Record<string, number> = {}
  for (const topic of [topics.events, topics.features, topics.labels])
    forgotten[topic] = await embedded.erase(topic, topic === topics.events ? namesThem : isTheirs)
  forgotten[topics.deadLetters] = await embedded.erase(topics.deadLetters, namesThem)
  await embedded.scrub()
  return forgotten
}
