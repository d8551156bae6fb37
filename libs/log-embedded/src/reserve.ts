import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const fileName = 'log.reserve'
const MEGABYTE = 1 << 20
const PIECE = 64 << 10

/** Share of the file system below which new events are refused, within bounds that suit small and large ones. */
const leastOf = (capacity: number): number => Math.min(128 * MEGABYTE, Math.max(2 * MEGABYTE, capacity / 20))

/** Where less than this is free, a second is enough to fill it. */
const SHORT = 1024 * MEGABYTE

/** What is kept free for clearing. */
const reserveOf = (capacity: number): number => Math.floor(Math.min(16 * MEGABYTE, Math.max(MEGABYTE, capacity / 100)))

/** Bytes that the write-ahead log may hold before they are moved to where they belong: with the reserve alone that must be possible. */
export function mostAhead(directory: string): number {
  const { bsize, blocks } = statfsSync(directory)
  return reserveOf(bsize * blocks) / 2
}

/**
 * Room for clearing: on a full disk nothing can be deleted from a database either, because that too is written first. A file holds the
 * room until it is needed.
 */
export class Reserve {
  readonly #directory: string
  readonly #path: string

  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, fileName)
  }

  /** Of the file system. */
  look(): { readonly free: number; readonly least: number } {
    const { bsize, bavail, blocks } = statfsSync(this.#directory)
    return { free: bsize * bavail, least: leastOf(bsize * blocks) }
  }

  /** Takes the room, where there is enough and it is not taken. */
  take(): void {
    const { bsize, bavail, blocks } = statfsSync(this.#directory)
    const size = reserveOf(bsize * blocks)
    if (this.#size() < size && bsize * bavail >= leastOf(bsize * blocks) + 2 * size) this.#write(size)
  }

  /** Takes the room at the start where there is little: elsewhere the first maintenance is soon enough. */
  takeWhereShort(): void {
    if (this.look().free < SHORT) this.take()
  }

  /** Takes what there is of it: who opens the log next needs some. */
  keep(): void {
    const { bsize, bavail, blocks } = statfsSync(this.#directory)
    const held = this.#size()
    const size = Math.min(reserveOf(bsize * blocks), held + bsize * bavail)
    if (size > held) this.#write(size)
  }

  #write(size: number): void {
    const descriptor = openSync(this.#path, 'w', 0o600)
    try {
      // Bytes that no file system can shorten.
      for (let left = size; left > 0; left -= PIECE) writeSync(descriptor, randomBytes(Math.min(left, PIECE)))
    } catch {
      // What was written is held all the same.
    } finally {
      closeSync(descriptor)
    }
  }

  /** Gives the room back. @returns whether there was some */
  release(): boolean {
    const held = this.#size() > 0
    rmSync(this.#path, { force: true })
    return held
  }

  #size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
  }
}
