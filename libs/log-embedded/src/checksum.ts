import type { SQLInputValue } from 'node:sqlite'
import { crc32 } from 'node:zlib'

/** CRC-32 of a row's values, so that a damaged one is noticed. */
export const checksum = (...values: readonly SQLInputValue[]): number => crc32(values.join('/'))
