/** What a check says. `advice` says what to do, where there is something to do. */
export interface Verdict {
  readonly status: 'ok' | 'warning' | 'failure'
  readonly found: string
  readonly advice?: string
}

export const ok = (found: string): Verdict => ({ status: 'ok', found })
export const warning = (found: string, advice: string): Verdict => ({ status: 'warning', found, advice })
export const failure = (found: string, advice: string): Verdict => ({ status: 'failure', found, advice })
