import { random, standardNormal } from '@eddy/mixture'

/** What a stream of three segments looks like at a moment. */
export interface Shape {
  /** standard deviation of every segment */
  readonly noise?: number
  /** where the first segment's centre has moved to, along x */
  readonly shift?: number
  /** the third segment always says exactly the same */
  readonly constant?: boolean
  /** share of events that cannot be used */
  readonly bad?: number
}

const centres = [
  [0, 0],
  [60, 0],
  [0, 60],
] as const
const next = random(7)

/** NDJSON of `count` events. */
export function events(count: number, { noise = 1, shift = 0, constant = false, bad = 0 }: Shape = {}): string {
  let text = ''
  for (let n = 0; n < count; n++) {
    const k = Math.floor(next() * 3)
    const [x, y] = centres[k] as (typeof centres)[number]
    const spread = constant && k === 2 ? 0 : noise
    const features = {
      x: x + spread * standardNormal(next) + (k === 0 ? shift : 0),
      y: y + spread * standardNormal(next),
    }
    text += `${JSON.stringify(next() < bad ? { features } : { customer: `c${Math.floor(next() * 1e6)}`, features })}\n`
  }
  return text
}

export interface Fault {
  readonly fault: string
  /** the one alert that must fire, or none */
  readonly alert?: string
  /** what fires beside it, as it should */
  readonly also?: string
  /** the services run apart, this one is scraped, and it gets no more records: nothing else can tell */
  readonly service?: 'scoring' | 'em-worker'
  /** what differs in the configuration */
  readonly model?: string
  readonly http?: string
  /** a small file system under the log, bytes */
  readonly disk?: number
  /** seconds of healthy traffic before the fault, default 10 */
  readonly before?: number
  /** the stream from the fault on, `t` in batches of 256, ten a second; undefined for silence */
  readonly stream?: (t: number) => Shape | undefined
}

/** Fault × alert: the rows. What needs more than a stream is done by the test. */
export const faults: readonly Fault[] = [
  { fault: 'none' },
  { fault: 'the process is killed', alert: 'EddyDown' },
  { fault: 'the process is killed and restarted, again and again', alert: 'EddyCrashLoop', before: 3 },
  {
    fault: 'more events than one at a time can be learned',
    alert: 'EddyLag',
    model: 'batchSize: 1, halfLife: 1000000',
    before: 0,
  },
  { fault: 'scoring gets no more records', alert: 'EddyPartitionStalled' },
  { fault: 'a process of its own for scoring gets no more records', alert: 'EddyPartitionStalled', service: 'scoring' },
  {
    fault: 'a process of its own for the E-step gets no more records',
    alert: 'EddySnapshotStale',
    service: 'em-worker',
  },
  { fault: 'no process of any stage is a target any more', alert: 'EddyStageMissing', also: 'EddyAbsent' },
  {
    fault: 'a mini-batch waits for ever',
    alert: 'EddySnapshotStale',
    model: 'batchSize: 1000, maxWaitMs: 3600000',
    stream: () => undefined,
  },
  { fault: 'a fifth of the events cannot be used', alert: 'EddyDeadLetters', stream: () => ({ bad: 0.2 }) },
  { fault: 'too many events wait', alert: 'EddyEventsRefused', http: 'maxBacklogEvents: 10' },
  {
    fault: 'features become noisier',
    alert: 'EddyLikelihoodDrop',
    before: 25,
    stream: () => ({ noise: 5 }),
  },
  {
    fault: 'a segment moves',
    alert: 'EddySegmentDrift',
    before: 20,
    stream: t => ({ shift: 0.02 * t }),
  },
  {
    fault: 'a segment says the same value for ever',
    alert: 'EddySegmentCollapse',
    before: 15,
    stream: () => ({ constant: true }),
  },
  { fault: 'the disk is nearly full', alert: 'EddyDiskAlmostFull', disk: 64 << 20, before: 0, stream: () => undefined },
  { fault: 'the log fills a small disk', alert: 'EddyLogFullSoon', disk: 128 << 20, before: 0, stream: () => ({}) },
]
