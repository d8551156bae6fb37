import type { OpenInput } from '@eddy/records'
import { Presets, SingleBar } from 'cli-progress'
import type { Terminal } from './terminal.ts'

/** Shorter work shows no bar. */
const quietMs = 2_000

/** A progress bar on stderr for work that takes longer than two seconds, only where stderr is a terminal. */
export class Progress {
  readonly #terminal: Terminal
  readonly #label: string
  readonly #total: number
  readonly #started: number
  readonly #now: () => number
  #bar: SingleBar | undefined

  /** @param total what `update` counts up to, in any unit */
  constructor(terminal: Terminal, label: string, total: number, now: () => number = () => performance.now()) {
    this.#terminal = terminal
    this.#label = label
    this.#total = total
    this.#now = now
    this.#started = now()
  }

  update(value: number): void {
    if (!this.#terminal.stderr.isTTY) return
    if (!this.#bar && this.#now() - this.#started >= quietMs) {
      this.#bar = new SingleBar(
        {
          format: `${this.#label} {bar} {percentage} %, {eta_formatted} left`,
          stream: this.#terminal.stderr as NodeJS.WriteStream,
          hideCursor: false,
          clearOnComplete: true,
          etaAsynchronousUpdate: false,
        },
        Presets.rect,
      )
      this.#bar.start(this.#total, value)
    }
    this.#bar?.update(Math.min(value, this.#total))
  }

  stop(): void {
    this.#bar?.stop()
  }
}

/** The batches themselves, while a bar shows how much of the file has been read. */
export async function* withReadingProgress<T>(
  terminal: Terminal,
  input: OpenInput,
  batches: AsyncIterable<T>,
): AsyncGenerator<T> {
  const progress = input.size === undefined ? undefined : new Progress(terminal, `Reading ${input.name}`, input.size)
  try {
    for await (const batch of batches) {
      yield batch
      progress?.update(input.position())
    }
  } finally {
    progress?.stop()
  }
}
