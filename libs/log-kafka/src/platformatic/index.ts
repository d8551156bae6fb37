import type { EventLog } from '@eddy/log'
import { KafkaLog } from '../kafka-log.ts'
import { DEFAULTS, type KafkaOptions } from '../options.ts'
import { PlatformaticDriver } from './platformatic-driver.ts'

export { missingRights } from './missing-rights.ts'

/** The log on a Kafka cluster, by way of @platformatic/kafka. Nothing is connected before it is needed. */
export function openPlatformaticLog(options: KafkaOptions): EventLog {
  const { maxRecordBytes = DEFAULTS.maxRecordBytes } = options
  return new KafkaLog(new PlatformaticDriver(options), maxRecordBytes)
}
