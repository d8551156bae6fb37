import {
  addPartitionsToTxnV3,
  Base,
  findErrorBy,
  kGetApi,
  kPerformWithRetry,
  NetworkError,
  Producer,
  Writer,
} from '@platformatic/kafka'

type Buffer = { writeUnsignedVarInt64(value: bigint, append?: boolean): void }

type Api = (name: string, callback: (error: Error | null, api?: unknown) => void) => void

/** Puts right what is wrong with @platformatic/kafka 2.12.1 (the version is pinned). */
export function repairPlatformatic(): void {
  repairTimestamps()
  repairTransactions()
  repairMetadata()
}

/**
 * 64-bit numbers are zigzag-encoded as if they had 32 bits, so that a record whose timestamp is more than 24.8 days from its batch's
 * first is stored with another one, or is refused.
 */
function repairTimestamps(): void {
  const prototype = Object.getPrototypeOf(Writer.create().dynamicBuffer)
  prototype.writeVarInt64 = function (this: Buffer, value: bigint, append?: boolean): void {
    this.writeUnsignedVarInt64((value << 1n) ^ (value >> 63n), append)
  }
}

const repaired = new WeakSet<object>()

/** Partitions are added to a transaction by a request meant for brokers among themselves, which needs ClusterAction. */
function repairTransactions(): void {
  const prototype = Producer.prototype as unknown as Record<typeof kGetApi, Api>
  if (repaired.has(prototype)) return
  repaired.add(prototype)
  const getApi = prototype[kGetApi]
  prototype[kGetApi] = function (name, callback) {
    if (name === 'AddPartitionsToTxn') callback(null, addPartitionsToTxnV3.api)
    else getApi.call(this, name, callback)
  }
}

type Attempt = (done: (error: Error | null, result?: unknown) => void) => void

type PerformWithRetry = (this: Base, name: string, attempt: Attempt, ...rest: unknown[]) => unknown

/**
 * The brokers it knows are those of the newest answer, and a question for no topic in particular, or for topics of which it heard lately, is not asked again. A
 * broker that was down when that answer came stays unknown: what it coordinates was tried 151 times, for 15 s, and failed, and what it leads failed at once.
 * Where a broker is unknown, the next attempt asks anew.
 */
function repairMetadata(): void {
  const prototype = Base.prototype as unknown as Record<typeof kPerformWithRetry, PerformWithRetry>
  if (repaired.has(prototype)) return
  repaired.add(prototype)
  const performWithRetry = prototype[kPerformWithRetry]
  prototype[kPerformWithRetry] = function (name, attempt, ...rest) {
    const asked: Attempt = done =>
      attempt((failed, result) => {
        const error = failed && lackOfBroker(failed)
        if (findErrorBy(error, 'hasStaleMetadata', true)) this.clearMetadata()
        done(error, result)
      })
    // Further attempts come with their number, wrapped already.
    const [, number = 0] = rest
    return performWithRetry.call(this, name, number === 0 ? asked : attempt, ...rest)
  }
}

/** Where a leader is unknown the library gives up, though it may be known in a moment. */
const lackOfBroker = (error: Error): Error =>
  error.message.startsWith('Cannot find broker')
    ? new NetworkError(error.message, { cause: error, hasStaleMetadata: true })
    : error
