import type { EventLog } from '@eddy/log'
import { KafkaLog } from '../kafka-log.ts'
import { DEFAULTS, type KafkaOptions } from '../options.ts'
import { KafkajsDriver } from './kafkajs-driver.ts'

/** The log on a Kafka cluster, by way of kafkajs. Nothing is connected before it is needed. */
export function openKafkajsLog(options: KafkaOptions): EventLog {
  const { maxRecordBytes = DEFAULTS.maxRecordBytes } = options
  return new KafkaLog(new KafkajsDriver(options), maxRecordBytes)
}
