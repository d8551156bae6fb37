/**
 * A hash of a set of offsets that does not depend on their order or on batch boundaries: the sum, modulo 2^64, of
 * `hashOffset(partition, offset)`. Sums of disjoint sets add; a lost, doubled or swapped offset changes the sum (with
 * probability 1 − 2^−64). It guards against mistakes, not against someone who chooses offsets.
 *
 * hashOffset(p, o) is output number o + 1 of SplitMix64 (Steele, Lea & Flood 2014) seeded with mix64(p):
 *
 *     hashOffset(p, o) = mix64(mix64(p) + (o + 1) · 0x9e3779b97f4a7c15)
 *     mix64(z):  z ← (z ⊕ z≫30) · 0xbf58476d1ce4e5b9;  z ← (z ⊕ z≫27) · 0x94d049bb133111eb;  z ⊕ z≫31
 *
 * all modulo 2^64.
 */
export function hashOffset(partition: number, offset: number): bigint {
  return mix64(BigInt.asUintN(64, mix64(BigInt(partition)) + (BigInt(offset) + 1n) * golden))
}

const golden = 0x9e3779b97f4a7c15n

function mix64(z: bigint): bigint {
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
  return z ^ (z >> 31n)
}

/** High 32 bits of the product of two unsigned 32-bit numbers, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16)
  const carry = a0 * b1 + (middle & 0xffff)
  return a1 * b1 + (middle >>> 16) + (carry >>> 16)
}

const goldenLow = 0x7f4a7c15
const goldenHigh = 0x9e3779b9

/** Accumulates `hashOffset` of many offsets in two 32-bit halves, without a BigInt an event. */
export class OffsetsHash {
  #low = 0
  #high = 0
  // SplitMix64's state after the last (partition, offset) added: the next offset is one addition away.
  #partition = -1
  #offset = 0
  #stateLow = 0
  #stateHigh = 0

  /** Adds one offset. */
  add(partition: number, offset: number): void {
    if (partition === this.#partition && offset === this.#offset + 1) {
      const low = this.#stateLow + goldenLow
      this.#stateLow = low >>> 0
      this.#stateHigh = (this.#stateHigh + goldenHigh + (low > 0xffffffff ? 1 : 0)) >>> 0
    } else {
      const state = BigInt.asUintN(64, mix64(BigInt(partition)) + (BigInt(offset) + 1n) * golden)
      this.#stateLow = Number(state & 0xffffffffn)
      this.#stateHigh = Number(state >> 32n)
      this.#partition = partition
    }
    this.#offset = offset

    let low = this.#stateLow
    let high = this.#stateHigh
    // z ⊕ z≫30, · 0xbf58476d1ce4e5b9
    low = (low ^ ((low >>> 30) | (high << 2))) >>> 0
    high = (high ^ (high >>> 30)) >>> 0
    high = (multiplyHigh(low, 0x1ce4e5b9) + Math.imul(low, 0xbf58476d) + Math.imul(high, 0x1ce4e5b9)) >>> 0
    low = Math.imul(low, 0x1ce4e5b9) >>> 0
    // z ⊕ z≫27, · 0x94d049bb133111eb
    low = (low ^ ((low >>> 27) | (high << 5))) >>> 0
    high = (high ^ (high >>> 27)) >>> 0
    high = (multiplyHigh(low, 0x133111eb) + Math.imul(low, 0x94d049bb) + Math.imul(high, 0x133111eb)) >>> 0
    low = Math.imul(low, 0x133111eb) >>> 0
    // z ⊕ z≫31, added to the sum
    low = this.#low + ((low ^ ((low >>> 31) | (high << 1))) >>> 0)
    high = (high ^ (high >>> 31)) >>> 0
    this.#low = low >>> 0
    this.#high = (this.#high + high + (low > 0xffffffff ? 1 : 0)) >>> 0
  }

  /** Σ hashOffset mod 2^64 of everything added. */
  get value(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }
}

/** Hash of the union of two disjoint sets of offsets. */
export function addHashes(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a + b)
}
