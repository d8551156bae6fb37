import { setTimeout } from 'node:timers/promises'
import { type Bench, publish, type Run, type Source } from './bench.ts'
import type { Process } from './contenders.ts'

/** Events a second while latency is measured. */
export const PACED = 5_000
/** Milliseconds between publications of the producer. */
const TICK_MS = 5
const WARM_UP_SECONDS = 3
/** Events that show that the contender has begun. */
const PROBES = 30
const START_MS = 30_000
const END_MS = 30_000

export interface Latency {
  /** milliseconds from the event's publication to its label in the hands of a consumer that reads what is committed */
  readonly p50: number
  readonly p99: number
}

/** Publishes at a steady rate and reads the labels as a user would. */
export async function latency(
  process_: Process,
  bench: Bench,
  run: Run,
  source: Source,
  seconds: number,
): Promise<Latency> {
  const milliseconds: number[] = []
  let seen = 0
  const first = Promise.withResolvers<void>()
  const skipped = PROBES + PACED * WARM_UP_SECONDS
  const count = skipped + PACED * seconds
  const arrived = Promise.withResolvers<void>()
  const reading = bench.log.consume(run.labels, { from: 'earliest' }).subscribe({
    next: delivery => {
      const now = Date.now()
      for (const { timestamp } of delivery.records) if (seen++ >= skipped) milliseconds.push(now - timestamp)
      delivery.ack()
      first.resolve()
      if (seen >= count) arrived.resolve()
    },
    error: arrived.reject,
  })
  // The contender has joined its group when it labels the first events.
  await publish(bench.log, run.features, source.records.slice(0, PROBES))
  await Promise.race([first.promise, arrived.promise, after(START_MS, () => process_.check())])
  const start = performance.now()
  const sent: Promise<void>[] = []
  for (let done = PROBES; done < count; ) {
    await setTimeout(TICK_MS)
    const due = Math.min(count, PROBES + Math.floor(((performance.now() - start) / 1000) * PACED))
    const timestamp = Date.now()
    const records = Array.from({ length: due - done }, (_, i) => ({
      ...source.records[(done + i) % source.records.length]!,
      timestamp,
    }))
    if (records.length > 0) sent.push(publish(bench.log, run.features, records))
    done = due
  }
  await Promise.all(sent)
  await Promise.race([arrived.promise, after(END_MS, () => process_.check())])
  reading.unsubscribe()
  milliseconds.sort((a, b) => a - b)
  const quantile = (q: number): number => milliseconds[Math.floor(q * (milliseconds.length - 1))]!
  return { p50: quantile(0.5), p99: quantile(0.99) }
}

/** Rejects when labels are too late. @param check throws if the contender has ended, which tells more */
async function after(milliseconds: number, check: () => void): Promise<never> {
  await setTimeout(milliseconds, undefined, { ref: false })
  check()
  throw new Error(`expected labels within ${milliseconds / 1000} s, got too few`)
}
