import { addPartitionsToTxnV3, kGetApi, Producer, Writer } from '@platformatic/kafka'

type Buffer = { writeUnsignedVarInt64(value: bigint, append?: boolean): void }

type Api = (name: string, callback: (error: Error | null, api?: unknown) => void) => void

/** Puts right what is wrong with @platformatic/kafka 2.12.1 (the version is pinned). */
export function repairPlatformatic(): void {
  repairTimestamps()
  repairTransactions()
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
