import type { KafkaConfig, Kafka as KafkaType, LogEntry, RetryOptions } from 'kafkajs'
import type { KafkaDriver, KafkaMember, KafkaProducer, MemberEvents } from '../driver.ts'
import { DEFAULTS, type KafkaOptions, transactionTimeoutOf } from '../options.ts'
import { AdminClient } from './admin-client.ts'
import { compressionTypes, registerCodecs } from './codecs.ts'
import { Kafka, logLevel } from './kafkajs.ts'
import { KafkajsAdmin } from './kafkajs-admin.ts'
import { repairConnections } from './kafkajs-connections.ts'
import { repairJoins } from './kafkajs-joins.ts'
import { joinGroup } from './kafkajs-member.ts'
import { KafkajsProducer } from './kafkajs-producer.ts'
import { replaceRecordBatches, socketFactory } from './kafkajs-record-batches.ts'
import { repairKafkajs } from './kafkajs-repairs.ts'
import { quickenTransactions } from './kafkajs-transactions.ts'

/**
 * Short steps and many of them: a transaction that follows another finds it still completing and has to ask again
 * (15 ms a transaction instead of 317 ms), while a broker that fails over is gone for some seconds.
 */
const RETRY: RetryOptions = { initialRetryTime: 5, factor: 0, multiplier: 2, maxRetryTime: 100, retries: 150 }

const LEVELS = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
  [logLevel.DEBUG]: 'debug',
} as const

export class KafkajsDriver implements KafkaDriver {
  readonly admin: KafkajsAdmin
  readonly #kafka: KafkaType
  readonly #options: KafkaOptions

  constructor(options: KafkaOptions) {
    repairKafkajs()
    repairConnections()
    repairJoins()
    quickenTransactions()
    replaceRecordBatches()
    registerCodecs()
    this.#options = options
    this.#kafka = new Kafka(configuration(options))
    this.admin = new KafkajsAdmin(() => new AdminClient(this.#kafka, RETRY))
  }

  producer(transactionalId?: string): KafkaProducer {
    const { compression = DEFAULTS.compression } = this.#options
    const producer = this.#kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      // Requests of a transaction overlap; of record batches the library has one on the way at a time.
      retry: RETRY,
      ...(transactionalId !== undefined && {
        transactionalId,
        transactionTimeout: transactionTimeoutOf(transactionalId, this.#options),
      }),
    })
    return new KafkajsProducer(producer, transactionalId !== undefined, compressionTypes[compression])
  }

  join(topic: string, group: string | undefined, events: MemberEvents): KafkaMember {
    const { sessionTimeoutMs = DEFAULTS.sessionTimeoutMs } = this.#options
    return joinGroup(this.#kafka, topic, group, sessionTimeoutMs, events)
  }

  async close(): Promise<void> {
    await this.admin.close()
  }
}

function configuration({ brokers, clientId = DEFAULTS.clientId, ssl, sasl, onLog }: KafkaOptions): KafkaConfig {
  return {
    brokers: [...brokers],
    clientId,
    retry: RETRY,
    socketFactory,
    connectionTimeout: 5_000,
    ...(ssl !== undefined && { ssl }),
    ...(sasl && { sasl: sasl as NonNullable<KafkaConfig['sasl']> }),
    logLevel: onLog ? logLevel.INFO : logLevel.NOTHING,
    logCreator:
      () =>
      ({ level, log: { message, timestamp: _, ...details } }: LogEntry) =>
        onLog?.(LEVELS[level as keyof typeof LEVELS] ?? 'debug', message, details),
  }
}
