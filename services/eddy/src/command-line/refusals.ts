import { counted } from '@eddy/runtime'
import { note, type Terminal } from './terminal.ts'

/** Most records that are told one by one. */
const TOLD = 10

/** Tells on stderr the first few of a file's records that cannot be used, and at the end how many there were. */
export class Refusals {
  readonly #terminal: Terminal
  readonly #became: string
  #count = 0

  /** @param became what became of them, e.g. `skipped` */
  constructor(terminal: Terminal, became: string) {
    this.#terminal = terminal
    this.#became = became
  }

  /** @param reason with file and line */
  tell(reason: string): void {
    if (++this.#count <= TOLD) note(this.#terminal, `eddy: ${this.#became} ${reason}`)
  }

  end(): void {
    if (this.#count > TOLD) note(this.#terminal, `eddy: ${this.#became} ${counted(this.#count, 'record')} in all`)
  }
}
