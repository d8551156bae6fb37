import type { BaseOptions, SASLOptions } from '@platformatic/kafka'
import { DEFAULTS, type KafkaOptions } from '../kafka/options.ts'

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

/** What every client of the library is told. */
export function clientOptions({ brokers, clientId = DEFAULTS.clientId, ssl, sasl }: KafkaOptions): BaseOptions {
  return {
    bootstrapBrokers: [...brokers],
    clientId,
    connectTimeout: 5_000,
    autocreateTopics: false,
    // Short steps and many of them: a transaction that follows another finds it still completing and has to ask again,
    // while a broker that fails over is gone for some seconds.
    retries: 150,
    retryDelay: (_client, _operation, attempt) => Math.min(100, 5 * 2 ** Math.min(attempt, 10)),
    ...(ssl !== undefined && ssl !== false && { tls: ssl === true ? {} : ssl }),
    ...(sasl && { sasl: { ...sasl, mechanism: MECHANISMS[sasl.mechanism] } as SASLOptions }),
  }
}
