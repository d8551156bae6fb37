import type { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/*
 * A compressed batch, as it is stored, integers little-endian:
 *
 *   u32 crc32 of what follows · u32 COMPRESSED, where others have their number of records · u32 length of the packed batch
 *   · its bytes from the fifth on, as a zstd frame
 *
 * The checksum is that of what is stored: damage is noticed before anything is decompressed.
 */
const COMPRESSED = 0xffff_ffff
const HEADER = 12
const CHECKSUM = 4

/** Smaller batches are stored as they are, bytes. */
const LEAST = 512

/** Level 1 takes as long, and leaves 5 % more. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }

/** A packed batch as it is to be stored, not yet sealed; the batch itself where that saves less than an eighth. */
export function compressed(batch: Uint8Array): Uint8Array {
  if (batch.length < LEAST) return batch
  const frame = zstdCompressSync(batch.subarray(CHECKSUM), options)
  if (HEADER + frame.length > batch.length - batch.length / 8) return batch
  const stored = new Uint8Array(HEADER + frame.length)
  const view = new DataView(stored.buffer)
  view.setUint32(4, COMPRESSED, true)
  view.setUint32(8, batch.length, true)
  stored.set(frame, HEADER)
  return stored
}

/**
 * The packed batch, without its checksum, of what is stored and was found intact.
 * @throws RangeError if it is not what `compressed` gave
 */
export function decompressed(stored: Uint8Array): Uint8Array {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  if (view.getUint32(4, true) !== COMPRESSED) return stored
  const batch = new Uint8Array(view.getUint32(8, true))
  const rest = zstdDecompressSync(stored.subarray(HEADER), { maxOutputLength: batch.length })
  if (rest.length !== batch.length - CHECKSUM)
    throw new RangeError(`record batch: expected ${batch.length} bytes, got ${CHECKSUM + rest.length}`)
  batch.set(rest, CHECKSUM)
  return batch
}

/** SQL, of a column `payload`: the length of the packed batch, compressed or not. For connections of `withPackedLength`. */
export const PACKED_LENGTH = `packed_length(substr(payload, 1, ${HEADER}), length(payload))`

/** Lets statements use `PACKED_LENGTH`. @returns the connection */
export function withPackedLength(database: DatabaseSync): DatabaseSync {
  database.function('packed_length', { deterministic: true }, (head, length) => {
    const { buffer, byteOffset, byteLength } = head as Uint8Array
    const view = new DataView(buffer, byteOffset, byteLength)
    return byteLength === HEADER && view.getUint32(4, true) === COMPRESSED ? view.getUint32(8, true) : length!
  })
  return database
}
