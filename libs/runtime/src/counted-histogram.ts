import type { Metric, Registry } from 'prom-client'

/** A histogram without labels that takes many equal observations at once: a value a record would cost more than the record's own work. */
export class CountedHistogram {
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[] = []
  /** upper bounds, ascending; what is above the last one counts in `+Inf` */
  readonly buckets: readonly number[]
  /** observations a bucket, the last being `+Inf` */
  readonly #counts: Float64Array
  #sum = 0

  constructor(name: string, help: string, buckets: readonly number[], registers: readonly Registry[]) {
    this.name = name
    this.help = help
    this.buckets = buckets
    this.#counts = new Float64Array(buckets.length + 1)
    // All a registry asks of a metric is what stands here.
    for (const registry of registers) registry.registerMetric(this as unknown as Metric)
  }

  /** Adds `count` observations of `value`. */
  observe(value: number, count = 1): void {
    let bucket = 0
    while (bucket < this.buckets.length && value > this.buckets[bucket]!) bucket++
    this.#counts[bucket]! += count
    this.#sum += count * value
  }

  /** What prom-client writes out: counts up to each bound, their sum and number. */
  async get() {
    const { name, help, type, aggregator } = this
    let count = 0
    const buckets = Array.from(this.#counts, (observed, i) => {
      count += observed
      return { metricName: `${name}_bucket`, labels: { le: this.buckets[i] ?? '+Inf' }, value: count }
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
