/** Kafka's variable-length integers: zigzag, seven bits a byte, the lowest first. */
const SMALL = 2 ** 30

/** Bytes of a number. */
export function varintSize(value: number): number {
  if (value >= -SMALL && value < SMALL) {
    const zigzag = (value << 1) ^ (value >> 31)
    return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5
  }
  let size = 1
  for (let rest = zigzag64(value); rest >= 0x80n; rest >>= 7n) size++
  return size
}

/** Writes a number. @returns where it ends */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -SMALL && value < SMALL) {
    let rest = (value << 1) ^ (value >> 31)
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
    bytes[at++] = rest
    return at
  }
  let rest = zigzag64(value)
  for (; rest >= 0x80n; rest >>= 7n) bytes[at++] = Number(rest & 0x7fn) | 0x80
  bytes[at++] = Number(rest)
  return at
}

function zigzag64(value: number): bigint {
  const whole = BigInt(value)
  return BigInt.asUintN(64, (whole << 1n) ^ (whole >> 63n))
}

/** Reads numbers one after another. */
export class VarintReader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  /** @throws RangeError beyond the end */
  read(): number {
    const bytes = this.#bytes
    let result = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.at++]
      if (byte === undefined) throw truncated()
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) return (result >>> 1) ^ -(result & 1)
    }
    return this.#readLong(BigInt(result))
  }

  #readLong(low: bigint): number {
    let zigzag = low
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) throw truncated()
      zigzag |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n)))
    }
    throw new RangeError('varint: expected at most ten bytes, got more')
  }
}

const truncated = () => new RangeError('record batch: expected all of its bytes, got fewer')
