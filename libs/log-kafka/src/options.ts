/** How to reach a Kafka cluster; the same for every client library. */
export interface KafkaOptions {
  /** host:port of some brokers */
  readonly brokers: readonly string[]
  readonly clientId?: string
  /** TLS; `true` trusts the system's certificates. PEM. */
  readonly ssl?:
    | boolean
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly rejectUnauthorized?: boolean }
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
  /** Of what is published; everything is read whatever its compression. Default none. */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** A member that has not been heard of for so long loses its partitions, milliseconds. Default 30 000. */
  readonly sessionTimeoutMs?: number
  /**
   * A transaction that has been open for so long is aborted by the broker, milliseconds. Default 60 000; at most 15 000 where it
   * settles nothing.
   */
  readonly transactionTimeoutMs?: number
  /** Bytes of the largest record to publish, with its headers; the brokers' message.max.bytes must be larger. Default 1 000 000. */
  readonly maxRecordBytes?: number
  /** Told what the client library has to say. */
  readonly onLog?: (level: 'error' | 'warn' | 'info' | 'debug', message: string, details: object) => void
}

/**
 * Begins the name of what stands for no group: the group of a consumer without one, and the transactional id of publications that settle
 * nothing. Rights on both are granted by this prefix.
 */
export const ANONYMOUS = 'eddy-anonymous-'

export const DEFAULTS = {
  clientId: 'eddy',
  compression: 'none',
  sessionTimeoutMs: 30_000,
  transactionTimeoutMs: 60_000,
  maxRecordBytes: 1_000_000,
} as const satisfies Partial<KafkaOptions>

/** Nobody takes an anonymous transactional id again: what it leaves open ends, and lets readers go on, by this alone. */
const ANONYMOUS_TRANSACTION_MS = 15_000

/** How long a transaction of the id may be open, milliseconds. */
export function transactionTimeoutOf(
  transactionalId: string | undefined,
  { transactionTimeoutMs = DEFAULTS.transactionTimeoutMs }: Pick<KafkaOptions, 'transactionTimeoutMs'>,
): number {
  return transactionalId?.startsWith(ANONYMOUS)
    ? Math.min(transactionTimeoutMs, ANONYMOUS_TRANSACTION_MS)
    : transactionTimeoutMs
}
