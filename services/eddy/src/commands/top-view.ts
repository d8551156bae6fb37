import { counted } from '@eddy/runtime'
import { figure, fixed, NONE, percent } from '../command-line/figures.ts'

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

/** What a running Eddy does, of two looks at its metrics; null where it does not say. */
export interface Activity {
  readonly model: string | null
  readonly snapshot: number | null
  readonly snapshotAgeSeconds: number | null
  readonly learnedEvents: number | null
  /** prequential, nats per event */
  readonly logLikelihood: number | null
  readonly stepSize: number | null
  /** effective sample, events */
  readonly effectiveSampleSize: number | null
  /** from an event's append to its label, upper bound of the bucket that holds the quantile */
  readonly eventToLabelP99Seconds: number | null
  readonly deadLettersPerSecond: number
  /** of one core */
  readonly cpuShare: number
  readonly memoryBytes: number
  /** streams of labels that are open */
  readonly streams: number
  readonly stages: readonly { readonly stage: string; readonly recordsPerSecond: number; readonly lag: number }[]
  /** largest first */
  readonly segments: readonly {
    readonly segment: string
    readonly share: number
    /** standard deviations */
    readonly drift: number | null
  }[]
}

/**
 * What `eddy top` shows of two looks at the metrics, perhaps of several processes.
 * @param elapsed seconds between them
 * @param clock now, Unix time in seconds
 */
export function activity(before: readonly Sample[], now: readonly Sample[], elapsed: number, clock: number): Activity {
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
  const one = (name: string): number | null => {
    const found = values(now, name).filter(value => !Number.isNaN(value))
    return found.length === 0 ? null : Math.max(...found)
  }
  const model = now
    .filter(({ name }) => name === 'eddy_model_snapshot_version')
    .reduce<Sample | undefined>((newest, each) => (newest && newest.value >= each.value ? newest : each), undefined)
  const made = one('eddy_model_snapshot_timestamp_seconds')
  const stages = new Set(
    now.filter(({ name }) => name === 'eddy_consumer_lag_records').map(({ labels }) => labels.stage as string),
  )
  const segments = new Map(
    now.filter(({ name }) => name === 'eddy_segment_weight_ratio').map(each => [each.labels.segment, each]),
  )
  return {
    model: model?.labels.model ?? null,
    snapshot: model?.value ?? null,
    snapshotAgeSeconds: made === null ? null : clock - made,
    learnedEvents: one('eddy_model_learned_events'),
    logLikelihood: one('eddy_model_prequential_log_likelihood_nats'),
    stepSize: one('eddy_model_step_size_ratio'),
    effectiveSampleSize: one('eddy_model_effective_sample_size_events'),
    eventToLabelP99Seconds: quantile(0.99, before, now) ?? null,
    deadLettersPerSecond: rate('eddy_dead_letters_total'),
    cpuShare: rate('process_cpu_seconds_total'),
    memoryBytes: sum(now, 'process_resident_memory_bytes'),
    streams: sum(now, 'eddy_http_streams'),
    stages: [...stages].map(stage => ({
      stage,
      recordsPerSecond: rate('eddy_records_processed_total', { stage }),
      lag: sum(now, 'eddy_consumer_lag_records', { stage }),
    })),
    segments: [...segments.values()]
      .sort((a, b) => b.value - a.value)
      .map(({ labels, value }) => ({
        segment: labels.segment as string,
        share: value,
        drift: values(now, 'eddy_segment_drift_sigma', labels)[0] ?? null,
      })),
  }
}

export interface View {
  readonly lines: readonly string[]
  readonly stages: readonly (readonly string[])[]
  readonly segments: readonly (readonly string[])[]
}

const whole = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 })

/** For people. */
export function view(seen: Activity): View {
  const events = (count: number | null): string => counted(Math.round(count ?? 0), 'event')
  const { eventToLabelP99Seconds: p99 } = seen
  return {
    lines: [
      seen.model === null
        ? 'no model yet (or this process does not follow it)'
        : `model ${seen.model}, snapshot ${whole(seen.snapshot!)}, ${fixed(seen.snapshotAgeSeconds ?? 0, 0)} s old, ${events(seen.learnedEvents)} learned`,
      `log-likelihood ${fixed(seen.logLikelihood, 3)} nats/event, step size ${figure(seen.stepSize ?? Number.NaN)}, effective sample ${events(seen.effectiveSampleSize)}`,
      `event → label p99 ${p99 === null ? NONE : `${fixed(1000 * p99, 0)} ms`}, dead letters ${fixed(seen.deadLettersPerSecond, 1)}/s, CPU ${percent(seen.cpuShare, 0)}, memory ${whole(seen.memoryBytes / 2 ** 20)} MiB, streams ${seen.streams}`,
    ],
    stages: seen.stages.map(({ stage, recordsPerSecond, lag }) => [stage, whole(recordsPerSecond), whole(lag)]),
    segments: seen.segments.map(({ segment, share, drift }) => [segment, percent(share), fixed(drift, 2)]),
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
