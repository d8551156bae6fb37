import type { EventLog } from '../event-log.ts'
import { KafkaLog } from './kafka-log.ts'
import { KafkajsDriver } from './kafkajs-driver.ts'
import { DEFAULTS, type KafkaOptions } from './options.ts'

export type { KafkaOptions } from './options.ts'

/** The log on a Kafka cluster, by way of kafkajs. Nothing is connected before it is needed. */
export function openKafkaLog(options: KafkaOptions): EventLog {
  const { maxRecordBytes = DEFAULTS.maxRecordBytes } = options
  return new KafkaLog(new KafkajsDriver(options), maxRecordBytes)
}
