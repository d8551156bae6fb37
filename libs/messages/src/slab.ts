import { textOf } from './fields.ts'
import { writeLong } from './varint.ts'

/** Most bytes `writeText` needs for a text. */
export const textRoom = (text: string): number => 5 + 3 * text.length

/** Where a message is written: `bytes` from `at` on, once `reserve` has made room. */
export interface Room {
  readonly bytes: Buffer
  readonly view: DataView
  readonly at: number
  /** Makes `bytes` have room for `most` bytes from `at` on: all three may be others then. */
  reserve(most: number): void
}

/** Writes f64 values `from` … `to` − 1 at `at`, little-endian. Returns the position after them. */
export function writeFloats(view: DataView, values: Float64Array, from: number, to: number, at: number): number {
  for (let i = from; i < to; i++, at += 8) view.setFloat64(at, values[i]!, true)
  return at
}

/**
 * Writes length and UTF-8 bytes of `text` at `at`; needs `textRoom`. Returns the position after it.
 * @throws MessageError for a lone surrogate
 */
export function writeText(bytes: Buffer, text: string, at: number, field: string): number {
  const length = text.length
  if (length < 64) {
    // ASCII: one byte a character, and the length fits one byte too.
    let i = 0
    for (; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) break
      bytes[at + 1 + i] = code
    }
    if (i === length) {
      bytes[at] = length << 1
      return at + 1 + length
    }
  }
  textOf(text, field)
  at = writeLong(bytes, at, Buffer.byteLength(text))
  return at + bytes.write(text, at)
}

/**
 * Memory for many small messages: one allocation a slab instead of one a message.
 * A message is a view; keeping one keeps its slab (64 KiB), and posting one to a thread copies it: copy to keep or to post.
 */
export class Slab implements Room {
  readonly #size: number
  /** the current slab: write from `at` on after `reserve` */
  bytes: Buffer
  view: DataView
  at = 0

  constructor(size = 65_536) {
    this.#size = size
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes `bytes` have room for `most` bytes from `at` on. */
  reserve(most: number): void {
    if (this.bytes.length - this.at >= most) return
    this.bytes = Buffer.allocUnsafeSlow(Math.max(this.#size, most))
    this.view = new DataView(this.bytes.buffer)
    this.at = 0
  }

  /** The message from `at` to `end`; the next one begins there. */
  take(end: number): Uint8Array {
    // Not `subarray`: a Buffer takes longer to make.
    const message = new Uint8Array(this.bytes.buffer, this.at, end - this.at)
    this.at = end
    return message
  }
}
