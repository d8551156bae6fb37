import type { Logger } from '../logger.ts'

/** What was asked for and not done. */
export interface Denial {
  readonly status: number
  readonly method: string
  /** as the table of routes has it, without ids */
  readonly route: string
  /** name of the token or the certificate, where there was one that is known */
  readonly by: string
  /** address of the other end */
  readonly from: string
  readonly reason: string
}

/** Denials of one kind are told once in so long, milliseconds: whoever floods us must not flood the log. */
const quietMs = 1000

/** Longest reason in the log, characters: it quotes what was sent. */
const longestReason = 200

/** The audit log of what was denied. */
export class Denials {
  readonly #logger: Pick<Logger, 'warn'>
  readonly #now: () => number
  /** by kind: when it was told last, and how many have been left out since. Kinds are as few as routes and clients. */
  readonly #told = new Map<string, { at: number; unsaid: number }>()

  constructor(logger: Pick<Logger, 'warn'>, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  tell({ reason, ...denial }: Denial): void {
    const kind = [denial.status, denial.method, denial.route, denial.by].join(' ')
    const now = this.#now()
    const last = this.#told.get(kind)
    if (last !== undefined && now - last.at < quietMs) {
      last.unsaid++
      return
    }
    const unsaid = last?.unsaid ?? 0
    this.#told.set(kind, { at: now, unsaid: 0 })
    const line = { audit: 'denied', ...denial, reason: reason.slice(0, longestReason) }
    this.#logger.warn(unsaid === 0 ? line : { ...line, unsaid }, 'a request was denied')
  }
}
