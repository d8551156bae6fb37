import type { Metric, Registry } from 'prom-client'

/** A histogram without labels that takes many equal observations at once: a value a record would cost more than the record's own work. */
export class CountedHistogram {
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly name: string
  readonly help: string
  /** upper bounds, ascending; what is above the last one counts in `+Inf` */
  readonly #bounds: readonly number[]
  /** observations a bucket, the last being `+Inf` */
  readonly #counts: Float64Array
  #sum = 0

  constructor(name: string, help: string, bounds: readonly number[], registers: readonly Registry[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
    // All a registry asks of a metric is what stands here.
    for (const registry of registers) registry.registerMetric(this as unknown as Metric)
  }

  /** Adds `count` observations of `value`. */
  observe(value: number, count = 1): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.#counts[bucket]! += count
    this.#sum += count * value
  }

  /** What prom-client writes out: counts up to each bound, their sum and number. */
  async get() {
    const { name, help, type, aggregator } = this
    let count = 0
    const buckets = Array.from(this.#counts, (observed, i) => {
      count += observed
      return { metricName: `${name}_bucket`, labels: { le: this.#bounds[i] ?? '+Inf' }, value: count }
    })
    const totals = [
      { metricName: `${name}_sum`, labels: {}, value: this.#sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ]
    return { name, help, type, aggregator, values: [...buckets, ...totals] }
  }

  reset(): void {
    this.#counts.fill(0)
    this.#sum = 0
  }
}
