/** A source of uniform numbers in [0, 1). All randomness of this library comes in as one of these. */
export type Random = () => number

/**
 * Seeded generator: sfc32 (Chris Doty-Humphrey, PractRand), 53 bits a number, period about 2^128.
 * Equal seeds give equal sequences on every machine.
 * @param seed any finite number; its low 32 bits and its magnitude both count
 */
export function random(seed: number): Random {
  let a = seed | 0
  let b = Math.floor(seed / 4294967296) | 0
  let c = 0x9e3779b9 | 0
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 15; i++) next()
  return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
}

/** One standard normal number (Box & Muller 1958), from two uniform ones. */
export function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/**
 * Index drawn with probability weights[i] / Σ weights; the last index with a positive weight where rounding runs over.
 * Uniform where no weight is positive.
 */
export function choose(weights: Float64Array, random: Random): number {
  let total = 0
  for (let i = 0; i < weights.length; i++) total += weights[i]!
  if (!(total > 0)) return Math.min(weights.length - 1, Math.floor(random() * weights.length))
  let left = random() * total
  let last = 0
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! <= 0) continue
    last = i
    left -= weights[i]!
    if (left < 0) return i
  }
  return last
}

/** 0 … n−1 in random order (Fisher & Yates). */
export function permutation(n: number, random: Random): Int32Array {
  const order = new Int32Array(n)
  for (let i = 0; i < n; i++) {
    const j = Math.floor(random() * (i + 1))
    order[i] = order[j]!
    order[j] = i
  }
  return order
}
