import { MessageError } from './message-error.ts'

/** Most bytes `writeLong` needs. */
export const longRoom = 8

/**
 * Writes a whole number of ±(2^53 − 1) as an Avro long (zigzag, base 128). Halves of 27 and 26 bits stay exact.
 * @param bytes written to, up to `longRoom` bytes from `at`
 * @returns the position after it
 */
export function writeLong(bytes: Uint8Array, at: number, value: number): number {
  const negative = value < 0 ? 1 : 0
  const magnitude = negative ? -(value + 1) : value
  let high = Math.floor(magnitude / 0x8000000)
  let low = ((magnitude - high * 0x8000000) * 2) | negative
  if (high === 0) {
    while (low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    bytes[at++] = low
    return at
  }
  for (let i = 0; i < 4; i++) {
    bytes[at++] = (low & 0x7f) | 0x80
    low >>>= 7
  }
  while (high > 0x7f) {
    bytes[at++] = (high & 0x7f) | 0x80
    high >>>= 7
  }
  bytes[at++] = high
  return at
}

/** Reads Avro longs one after another without allocating. `at` is the position after the last one read. */
export class LongReader {
  at = 0

  /**
   * @param field named in errors
   * @throws MessageError past the end, or beyond ±(2^53 − 1)
   */
  read(bytes: Uint8Array, at: number, field: string): number {
    let byte = bytes[at]
    let low = 0
    let shift = 0
    while (byte !== undefined && shift < 28) {
      low |= (byte & 0x7f) << shift
      at++
      if (byte < 0x80) {
        this.at = at
        return (low >>> 1) ^ -(low & 1)
      }
      shift += 7
      byte = bytes[at]
    }
    let high = 0
    let factor = 1
    // 4 bytes gave 28 bits; the format allows 6 more bytes.
    while (byte !== undefined && factor <= 2 ** 35) {
      high += (byte & 0x7f) * factor
      at++
      if (byte < 0x80) {
        const magnitude = high * 0x8000000 + (low >>> 1)
        const value = low & 1 ? -magnitude - 1 : magnitude
        if (!Number.isSafeInteger(value)) break
        this.at = at
        return value
      }
      factor *= 128
      byte = bytes[at]
    }
    throw new MessageError(
      `${field}: expected a whole number of at most 2^53 − 1, got ${byte === undefined ? 'the end of the bytes' : 'a larger one'}. Quarantine the message.`,
    )
  }
}
