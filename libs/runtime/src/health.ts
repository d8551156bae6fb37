/** Time after which a process that could not store is tried again. */
const untilNextTryMs = 15_000

/** Progress of the stages, as the probes see it. Liveness is progress, never the reachability of a broker or room on a disk. */
export class Health {
  readonly #stalledAfterMs: number
  readonly #now: () => number
  readonly #progress = new Map<string, { lag: number; since: number }>()
  #answered = true
  #notReady: string | undefined = 'starting'
  #unstored: { readonly reason: string; readonly since: number } | undefined

  /** @param stalledAfterMs a partition with lag and without progress for this long is stalled */
  constructor(now: () => number, stalledAfterMs = 60_000) {
    this.#now = now
    this.#stalledAfterMs = stalledAfterMs
  }

  /** A stage moved on in a partition and still has `lag` records to go. */
  progressed(stage: string, partition: number, lag: number): void {
    this.#progress.set(`${stage}/${partition}`, { lag, since: this.#now() })
  }

  /** There is more to do in a partition; without `progressed` it stalls. */
  lagging(stage: string, partition: number, lag: number): void {
    const key = `${stage}/${partition}`
    const entry = this.#progress.get(key)
    if (entry === undefined || entry.lag === 0) this.#progress.set(key, { lag, since: this.#now() })
    else entry.lag = lag
  }

  /** Another process has the partition now: it is not for us to move on there. */
  forget(stage: string, partition: number): void {
    this.#progress.delete(`${stage}/${partition}`)
  }

  /** The log does not answer. Whoever waits for it is not stuck: started again, it would wait as well. */
  unanswered(): void {
    this.#answered = false
  }

  /** The log answers. What stood still while it did not has its minute from now on. */
  answered(): void {
    if (this.#answered) return
    this.#answered = true
    for (const entry of this.#progress.values()) entry.since = this.#now()
  }

  /** Partitions with lag and no progress, as `stage/partition`; none while the log does not answer. */
  get stalled(): readonly string[] {
    if (!this.#answered) return []
    const limit = this.#now() - this.#stalledAfterMs
    return [...this.#progress].filter(([, { lag, since }]) => lag > 0 && since < limit).map(([key]) => key)
  }

  /** Why this process should get no traffic, or undefined when it is ready. */
  get notReady(): string | undefined {
    if (this.#notReady !== undefined) return this.#notReady
    // A process that gets no traffic does not learn by itself that there is room again.
    return this.#unstored && this.#now() - this.#unstored.since < untilNextTryMs ? this.#unstored.reason : undefined
  }

  /** An event could not be stored: for a while, traffic had better go elsewhere. */
  cannotStore(reason: string): void {
    this.#unstored = { reason, since: this.#now() }
  }

  /** Events are stored again. */
  stored(): void {
    this.#unstored = undefined
  }

  ready(): void {
    this.#notReady = undefined
  }

  unready(reason: string): void {
    this.#notReady = reason
  }
}
