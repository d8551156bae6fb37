import { type BaseOptions, findErrorBy, type SASLOptions } from '@platformatic/kafka'
import type { KafkaDriver, KafkaMember, KafkaProducer, MemberEvents } from '../kafka/driver.ts'
import { DEFAULTS, type KafkaOptions } from '../kafka/options.ts'
import { PlatformaticAdmin } from './platformatic-admin.ts'
import { PlatformaticMember } from './platformatic-member.ts'
import { PlatformaticProducer } from './platformatic-producer.ts'
import { repairPlatformatic } from './platformatic-repairs.ts'

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

export class PlatformaticDriver implements KafkaDriver {
  readonly admin: PlatformaticAdmin
  readonly #base: BaseOptions
  readonly #options: KafkaOptions

  constructor(options: KafkaOptions) {
    repairPlatformatic()
    this.#options = options
    this.#base = configuration(options)
    this.admin = new PlatformaticAdmin(this.#base)
  }

  producer(transactionalId?: string): KafkaProducer {
    const { compression = DEFAULTS.compression, transactionTimeoutMs = DEFAULTS.transactionTimeoutMs } = this.#options
    return new PlatformaticProducer(this.#base, transactionalId, compression, transactionTimeoutMs, group =>
      this.admin.coordinatorOf(group),
    )
  }

  join(topic: string, group: string | undefined, events: MemberEvents): KafkaMember {
    const { sessionTimeoutMs = DEFAULTS.sessionTimeoutMs } = this.#options
    const member = new PlatformaticMember(this.#base, topic, group, sessionTimeoutMs, events)
    member.join()
    return member
  }

  close(): Promise<void> {
    return this.admin.close()
  }
}

function configuration({ brokers, clientId = DEFAULTS.clientId, ssl, sasl }: KafkaOptions): BaseOptions {
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
