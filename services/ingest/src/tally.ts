import type { Metrics } from '@eddy/runtime'
import type { FeatureRule } from './feature-rule.ts'
import type { Refusal, RefusalReason } from './refusal.ts'

/** Most unknown keys that are counted by name. */
const namedKeys = 20

/** Names in an event that are no features. */
const ownNames = new Set(['customer', 'time', 'weight', 'features'])

/** Counts what the events of a run lacked, had beside their features, and were refused for. */
export class Tally {
  readonly #rules: readonly FeatureRule[]
  readonly #names: ReadonlySet<string>
  readonly #metrics: Pick<Metrics, 'deadLetters' | 'missingFeatures' | 'unknownKeys'> | undefined
  readonly #missing: Float64Array
  readonly #told: Float64Array
  readonly #unknown = new Map<string, number>()
  readonly #refused = new Map<RefusalReason, { count: number; readonly message: string }>()
  #accepted = 0

  constructor(
    rules: readonly FeatureRule[],
    metrics?: Pick<Metrics, 'deadLetters' | 'missingFeatures' | 'unknownKeys'>,
  ) {
    this.#rules = rules
    this.#names = new Set(rules.map(({ name }) => name))
    this.#metrics = metrics
    this.#missing = new Float64Array(rules.length)
    this.#told = new Float64Array(rules.length)
  }

  /** @param row its features, NaN where missing */
  accepted(row: Float64Array): void {
    this.#accepted++
    for (let j = 0; j < row.length; j++) if (Number.isNaN(row[j])) this.#missing[j]!++
  }

  refused({ reason, message }: Refusal): void {
    const entry = this.#refused.get(reason)
    if (entry === undefined) this.#refused.set(reason, { count: 1, message })
    else entry.count++
    this.#metrics?.deadLetters.inc({ reason })
  }

  /** Looks for keys that are no features, among those of `features` or else of the event. */
  keysOf(event: unknown): void {
    // The places of a list are no names.
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return
    const { features } = event as { readonly features?: unknown }
    const nested = typeof features === 'object' && features !== null
    for (const name of Object.keys(nested ? features : event)) {
      if (this.#names.has(name) || (!nested && ownNames.has(name))) continue
      this.#metrics?.unknownKeys.inc()
      const known = this.#unknown.get(name)
      if (known !== undefined || this.#unknown.size < namedKeys) this.#unknown.set(name, (known ?? 0) + 1)
    }
  }

  /** Brings the metrics of missing values up to date: once a delivery. */
  report(): void {
    for (const [j, { name }] of this.#rules.entries()) {
      const more = this.#missing[j]! - this.#told[j]!
      if (more > 0) this.#metrics?.missingFeatures.inc({ feature: name }, more)
      this.#told[j] = this.#missing[j]!
    }
  }

  /** Of the events so far. */
  get totals(): InputTotals {
    const reasons = [...this.#refused].map(([reason, { count, message }]) => ({ reason, count, message }))
    return {
      accepted: this.#accepted,
      missing: this.#rules.map(({ name }, j) => ({ name, count: this.#missing[j]! })),
      unknownKeys: [...this.#unknown].map(([name, count]) => ({ name, count })),
      refused: reasons.sort((a, b) => b.count - a.count),
    }
  }
}

/** What a run's events were like. */
export interface InputTotals {
  readonly accepted: number
  /** accepted events without a value, by feature */
  readonly missing: readonly { readonly name: string; readonly count: number }[]
  /** keys where features are looked for that are none; twenty at most */
  readonly unknownKeys: readonly { readonly name: string; readonly count: number }[]
  /** the commonest reason first, with the message of its first event */
  readonly refused: readonly { readonly reason: RefusalReason; readonly count: number; readonly message: string }[]
}
