import { MessageError } from './message-error.ts'

/** A whole number of ±(2^53 − 1) as the bigint of an Avro long. */
export function longOf(value: number, field: string): bigint {
  return BigInt(wholeOf(value, field))
}

/** The number itself, when it is a whole number of ±(2^53 − 1). */
export function wholeOf(value: number, field: string): number {
  if (Number.isSafeInteger(value)) return value
  throw new MessageError(`${field}: expected a whole number of at most 2^53 − 1, got ${value}. Round it first.`)
}

/** An Avro long as a number, refused where a number cannot hold it. */
export function numberOf(value: bigint, field: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) {
    throw new MessageError(`${field}: expected at most 2^53 − 1, got ${value}. Quarantine the message.`)
  }
  return number
}

/** An unsigned 64-bit value as 8 little-endian bytes. */
export function uint64Bytes(value: bigint, field: string): Buffer {
  if (BigInt.asUintN(64, value) !== value) {
    throw new MessageError(`${field}: expected 0 … 2^64 − 1, got ${value}. Take it modulo 2^64.`)
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

export function uint64Of(bytes: Buffer): bigint {
  return bytes.readBigUInt64LE()
}

/** Text that survives UTF-8: a lone surrogate would come back as another character. */
export function textOf(value: string, field: string): string {
  if (!value.isWellFormed()) {
    throw new MessageError(`${field}: expected well-formed text, got a lone surrogate in ${JSON.stringify(value)}.`)
  }
  return value
}
