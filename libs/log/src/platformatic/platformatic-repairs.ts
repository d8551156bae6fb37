import { Writer } from '@platformatic/kafka'

type Buffer = { writeUnsignedVarInt64(value: bigint, append?: boolean): void }

/**
 * Puts right what is wrong with @platformatic/kafka 2.12.1 (the version is pinned): 64-bit numbers are zigzag-encoded as
 * if they had 32 bits, so that a record whose timestamp is more than 24.8 days from its batch's first is stored with
 * another one, or is refused.
 */
export function repairPlatformatic(): void {
  const prototype = Object.getPrototypeOf(Writer.create().dynamicBuffer)
  prototype.writeVarInt64 = function (this: Buffer, value: bigint, append?: boolean): void {
    this.writeUnsignedVarInt64((value << 1n) ^ (value >> 63n), append)
  }
}
