import { endianness } from 'node:os'
import { MessageError } from './message-error.ts'

const hostIsLittleEndian = endianness() === 'LE'

/** f64 array → its little-endian bytes. A view on a little-endian machine: copy to keep. */
export function bytesOfFloats(values: Float64Array): Buffer {
  const view = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return hostIsLittleEndian ? view : Buffer.from(view).swap64()
}

/**
 * Little-endian bytes → a fresh f64 array, bit-exact (−0 and NaN included).
 * @throws MessageError when the length is no multiple of 8
 */
export function floatsOfBytes(bytes: Uint8Array, field: string): Float64Array {
  if (bytes.length % 8 !== 0) {
    throw new MessageError(
      `${field}: expected f64 values (a multiple of 8 bytes), got ${bytes.length} bytes. The writer is broken: quarantine the message.`,
    )
  }
  const values = new Float64Array(bytes.length / 8)
  const target = Buffer.from(values.buffer)
  target.set(bytes)
  if (!hostIsLittleEndian) target.swap64()
  return values
}
