import fc from 'fast-check'
import { MessageError } from '../message-error.ts'
import { everyCodec } from './every-codec.ts'

/** Small deterministic generator (mulberry32): fast-check would spend the time of the test on shrinking. */
export function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

const nasty = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0xfd]

/** A copy with one to four edits, of the kinds that upset decoders. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let out = Array.from(bytes)
  const below = (n: number) => Math.floor(random() * n)
  for (let edits = 1 + below(4); edits > 0; edits--) {
    // Nine in ten leave the schema id alone, or nothing behind it would be tested.
    const at = random() < 0.9 ? 5 + below(Math.max(1, out.length - 5)) : below(out.length + 1)
    const kind = below(6)
    if (kind === 0) out[at] = below(256)
    else if (kind === 1) out[at] = nasty[below(nasty.length)]!
    else if (kind === 2) out.splice(at, 1 + below(8))
    else if (kind === 3) out.splice(at, 0, ...Array.from({ length: 1 + below(10) }, () => nasty[below(nasty.length)]!))
    else if (kind === 4) out = out.slice(0, at)
    else out.splice(at, 0, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
  }
  return Uint8Array.from(out, byte => byte ?? 0)
}

export interface FuzzResult {
  decoded: number
  refused: number
  /** processor time of the slowest single decode, milliseconds: other processes have no part in it */
  slowest: number
  /** most memory that a single decode allocated, bytes */
  largest: number
}

/**
 * Decodes `runs` mutated messages, spread over the codecs. Anything but a value or a MessageError is thrown on;
 * so is a feature vector on which the fast path and avsc disagree.
 */
export function fuzz(runs: number, seed: number): FuzzResult {
  const random = generator(seed)
  const result: FuzzResult = { decoded: 0, refused: 0, slowest: 0, largest: 0 }
  const originals = everyCodec.map(({ codec, values }) =>
    fc.sample(values, { numRuns: 50, seed }).map(value => codec.encode(value).slice()),
  )
  for (let run = 0; run < runs; run++) {
    const which = run % everyCodec.length
    const seeds = originals[which]!
    const bytes = mutate(seeds[Math.floor(random() * seeds.length)]!, random)
    const before = allocated()
    const started = processorMs()
    const outcome = attempt(everyCodec[which]!.codec.decode, bytes)
    result.slowest = Math.max(result.slowest, processorMs() - started)
    result.largest = Math.max(result.largest, allocated() - before)
    result[outcome === undefined ? 'refused' : 'decoded']++
    if (which < 2) {
      const other = attempt(everyCodec[1 - which]!.codec.decode, bytes)
      if (JSON.stringify(outcome) !== JSON.stringify(other)) {
        throw new Error(`fast path and avsc disagree on ${Buffer.from(bytes).toString('hex')}`)
      }
    }
  }
  return result
}

/** Bytes on the heap and in buffers; a collection in between only makes a difference smaller. */
function allocated(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function attempt(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof MessageError) return undefined
    throw new Error(`not a MessageError for ${Buffer.from(bytes).toString('hex')}`, { cause: error })
  }
}

/** Of this thread so far. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
