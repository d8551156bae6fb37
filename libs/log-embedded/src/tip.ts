import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checksum } from './checksum.ts'

const fileName = 'log.tip'

/**
 * How many records the log has ever been given, written beside it after each commit that adds some. A log that has fewer has lost the
 * last ones: SQLite takes a damaged write-ahead log for one that ends earlier, and says nothing. Not synced, so that it costs next to
 * nothing: after a power failure it may be older than the log, never newer.
 */
export class Tip {
  readonly #path: string
  #descriptor: number | undefined

  /** @param file the log's database */
  constructor(file: string) {
    this.#path = join(dirname(file), fileName)
  }

  /** undefined where there is none, or none that can be read. */
  static read(file: string): number | undefined {
    try {
      const [total, sum] = readFileSync(join(dirname(file), fileName), 'utf8')
        .trim()
        .split(' ')
      return checksum(Number(total)) === Number(sum) ? Number(total) : undefined
    } catch {
      return undefined
    }
  }

  write(total: number): void {
    this.#descriptor ??= openSync(this.#path, 'w', 0o600)
    writeSync(this.#descriptor, `${total} ${checksum(total)}`.padEnd(40), 0)
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
