import type { EventLog } from '../event-log.ts'
import { KafkaLog } from '../kafka/kafka-log.ts'
import { DEFAULTS, type KafkaOptions } from '../kafka/options.ts'
import { PlatformaticDriver } from './platformatic-driver.ts'

export type { KafkaOptions } from '../kafka/options.ts'
export { type KafkaRight, missingRights } from './missing-rights.ts'

/** The log on a Kafka cluster, by way of @platformatic/kafka. Nothing is connected before it is needed. */
export function openPlatformaticLog(options: KafkaOptions): EventLog {
  const { maxRecordBytes = DEFAULTS.maxRecordBytes } = options
  return new KafkaLog(new PlatformaticDriver(options), maxRecordBytes)
}
