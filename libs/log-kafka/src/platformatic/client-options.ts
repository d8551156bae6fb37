import { type BaseOptions, findErrorBy, type SASLOptions } from '@platformatic/kafka'
import { DEFAULTS, type KafkaOptions } from '../options.ts'

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

/** What every client of the library is told. */
export function clientOptions({ brokers, clientId = DEFAULTS.clientId, ssl, sasl }: KafkaOptions): BaseOptions {
  return {
    bootstrapBrokers: [...brokers],
    clientId,
    connectTimeout: 5_000,
    autocreateTopics: false,
    retries: 150,
    retryDelay: (_client, _operation, attempt, _retries, error) => retryDelay(attempt, error),
    ...(ssl !== undefined && ssl !== false && { tls: ssl === true ? {} : ssl }),
    ...(sasl && { sasl: { ...sasl, mechanism: MECHANISMS[sasl.mechanism] } as SASLOptions }),
  }
}

/**
 * Short steps and many of them, for a broker that fails over is gone for some seconds. A transaction that follows another is
 * refused while that one's markers are being written, a matter of a millisecond or two: it asks again at once.
 */
function retryDelay(attempt: number, error: Error): number {
  if (findErrorBy(error, 'apiId', 'CONCURRENT_TRANSACTIONS')) return Math.min(100, attempt)
  return Math.min(100, 5 * 2 ** Math.min(attempt, 10))
}
