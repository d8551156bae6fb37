import type { BaseOptions } from '@platformatic/kafka'
import type { KafkaDriver, KafkaMember, KafkaProducer, MemberEvents } from '../driver.ts'
import { DEFAULTS, type KafkaOptions, transactionTimeoutOf } from '../options.ts'
import { clientOptions } from './client-options.ts'
import { PlatformaticAdmin } from './platformatic-admin.ts'
import { PlatformaticMember } from './platformatic-member.ts'
import { PlatformaticProducer } from './platformatic-producer.ts'
import { repairPlatformatic } from './platformatic-repairs.ts'

export class PlatformaticDriver implements KafkaDriver {
  readonly admin: PlatformaticAdmin
  readonly #base: BaseOptions
  readonly #options: KafkaOptions

  constructor(options: KafkaOptions) {
    repairPlatformatic()
    this.#options = options
    this.#base = clientOptions(options)
    this.admin = new PlatformaticAdmin(options.brokers, this.#base)
  }

  producer(transactionalId?: string): KafkaProducer {
    const { compression = DEFAULTS.compression } = this.#options
    const timeout = transactionTimeoutOf(transactionalId, this.#options)
    return new PlatformaticProducer(this.#base, transactionalId, compression, timeout, group =>
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
