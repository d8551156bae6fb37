import { counted } from '@eddy/runtime'
import { figure, fixed, percent } from '../command-line/figures.ts'

/** A sample of the Prometheus text format. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (match === null) continue
    const [, name, labels = '', value] = match as unknown as [string, string, string | undefined, string]
    samples.push({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
      ),
      value: Number(value === '+Inf' ? Infinity : value),
    })
  }
  return samples
}

export interface View {
  readonly lines: readonly string[]
  readonly stages: readonly (readonly string[])[]
  readonly segments: readonly (readonly string[])[]
}

const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 })

/**
 * What `eddy top` shows of two looks at the metrics, perhaps of several processes.
 * @param elapsed seconds between them
 * @param clock now, Unix time in seconds
 */
export function view(before: readonly Sample[], now: readonly Sample[], elapsed: number, clock: number): View {
  const values = (samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number[] =>
    samples
      .filter(
        sample => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
      )
      .map(({ value }) => value)
  const sum = (samples: readonly Sample[], name: string, labels?: Readonly<Record<string, string>>): number =>
    values(samples, name, labels).reduce((a, b) => a + b, 0)
  const rate = (name: string, labels?: Readonly<Record<string, string>>): number =>
    (sum(now, name, labels) - sum(before, name, labels)) / elapsed
  /** Processes follow the model at their own pace: the one that is furthest. */
  const one = (name: string): number | undefined => {
    const found = values(now, name).filter(value => !Number.isNaN(value))
    return found.length === 0 ? undefined : Math.max(...found)
  }
  const model = now
    .filter(({ name }) => name === 'eddy_model_snapshot_version')
    .reduce<Sample | undefined>((newest, each) => (newest && newest.value >= each.value ? newest : each), undefined)
  const age = clock - (one('eddy_model_snapshot_timestamp_seconds') ?? clock)
  const p99 = quantile(0.99, before, now)
  const stages = [
    ...new Set(
      now.filter(({ name }) => name === 'eddy_consumer_lag_records').map(({ labels }) => labels.stage as string),
    ),
  ]
  return {
    lines: [
      model === undefined
        ? 'no model yet (or this process does not follow it)'
        : `model ${model.labels.model}, snapshot ${count(model.value)}, ${age.toFixed(0)} s old, ${counted(Math.round(one('eddy_model_learned_events') ?? 0), 'event')} learned`,
      `log-likelihood ${fixed(one('eddy_model_prequential_log_likelihood_nats'), 3)} nats/event, step size ${figure(one('eddy_model_step_size_ratio') ?? Number.NaN)}, effective sample ${counted(Math.round(one('eddy_model_effective_sample_size_events') ?? 0), 'event')}`,
      `event → label p99 ${p99 === undefined ? '–' : `${(1000 * p99).toFixed(0)} ms`}, dead letters ${rate('eddy_dead_letters_total').toFixed(1)}/s, CPU ${(100 * rate('process_cpu_seconds_total')).toFixed(0)} %, memory ${count(sum(now, 'process_resident_memory_bytes') / 2 ** 20)} MiB, streams ${sum(now, 'eddy_http_streams')}`,
    ],
    stages: stages.map(stage => [
      stage,
      count(rate('eddy_records_processed_total', { stage })),
      count(sum(now, 'eddy_consumer_lag_records', { stage })),
    ]),
    segments: [
      ...new Map(
        now.filter(({ name }) => name === 'eddy_segment_weight_ratio').map(each => [each.labels.segment, each]),
      ).values(),
    ]
      .sort((a, b) => b.value - a.value)
      .map(({ labels, value }) => {
        const drift = values(now, 'eddy_segment_drift_sigma', labels)[0]
        return [labels.segment as string, percent(value), fixed(drift, 2)]
      }),
  }
}

/** Upper bound of the bucket that holds the quantile of what was observed between two looks, seconds. */
function quantile(q: number, before: readonly Sample[], now: readonly Sample[]): number | undefined {
  const byBound = (samples: readonly Sample[]): ReadonlyMap<number, number> => {
    const sums = new Map<number, number>()
    for (const { name, labels, value } of samples) {
      if (name !== 'eddy_event_to_label_seconds_bucket') continue
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le)
      sums.set(bound, (sums.get(bound) ?? 0) + value)
    }
    return sums
  }
  const earlier = byBound(before)
  const between = [...byBound(now)].map(([le, value]) => ({ le, seen: value - (earlier.get(le) ?? 0) }))
  const total = between.at(-1)?.seen ?? 0
  return total === 0 ? undefined : between.find(({ seen }) => seen >= q * total)?.le
}
