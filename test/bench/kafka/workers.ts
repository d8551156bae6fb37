import { setTimeout } from 'node:timers/promises'
import type { Shape } from '../kernels/shapes.ts'
import { median, range } from '../kernels/statistics.ts'
import { Bench, createSource } from './bench.ts'
import { eddy, type Process } from './contenders.ts'

/** Two E-step workers against one, each with the E-step on one thread, mini-batches of `BATCH_SIZE`. */
export interface WorkersResult {
  readonly kernel: 'webassembly' | 'typescript'
  /** medians of the rounds */
  readonly oneEventsPerSecond: number
  readonly twoEventsPerSecond: number
  /** median of the rounds' ratios */
  readonly speedUp: number
  /** largest less smallest of the ratios, as a share of the median */
  readonly spread: number
}

/** Two for each worker: while one waits for the snapshot of its mini-batch, the other is learned. */
const PARTITIONS = 4
export const BATCH_SIZE = 8_192
/** The compiled kernel is so quick that Kafka is what is waited for; the other one makes the E-step the bound. */
const KERNELS = ['webassembly', 'typescript'] as const
/** Mini-batches that are learned before the clock starts, and while it runs. */
const WARM_UP = 8
const MEASURED = 24
const POLL_MS = 20
const PATIENCE_MS = 120_000

/** Events learned a second, by the statistics that are published. */
export async function measureWorkers(
  brokers: readonly string[],
  folder: string,
  shape: Shape,
  rounds: number,
): Promise<WorkersResult[]> {
  const bench = new Bench(brokers, folder, PARTITIONS)
  const source = createSource(shape, PARTITIONS)
  const features = 'workers'
  await bench.createFeatures(features)
  await bench.fill(features, source, (WARM_UP + MEASURED + PARTITIONS) * BATCH_SIZE)
  const results: WorkersResult[] = []
  for (const kernel of KERNELS) {
    const one: number[] = []
    const two: number[] = []
    for (let round = 0; round < rounds; round++)
      for (const [workers, rates] of [
        [1, one],
        [2, two],
      ] as const) {
        const model = { batchSize: BATCH_SIZE, threads: 0, kernel }
        const run = await bench.createRun(features, source, { client: 'kafkajs', model })
        const running = [eddy('em-updater', run), ...Array.from({ length: workers }, () => eddy('em-worker', run))]
        const batches = await learned(bench, run.statistics, running).finally(() =>
          Promise.all(running.map(each => each.stop())),
        )
        rates.push(batches * BATCH_SIZE)
        console.error(`${workers} of 2 workers, ${kernel}, round ${round + 1}: ${Math.round(rates.at(-1)!)} events/s`)
      }
    const ratios = two.map((rate, round) => rate / one[round]!)
    results.push({
      kernel,
      oneEventsPerSecond: Math.round(median(one)),
      twoEventsPerSecond: Math.round(median(two)),
      speedUp: Math.round(median(ratios) * 100) / 100,
      spread: Math.round(range(ratios) * 100) / 100,
    })
  }
  await bench.close()
  return results
}

/** Mini-batches a second. */
async function learned(bench: Bench, statistics: string, running: readonly Process[]): Promise<number> {
  let begun: { readonly at: number; readonly done: number } | undefined
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await setTimeout(POLL_MS)) {
    for (const each of running) each.check()
    const done = (await bench.log.offsets(statistics))[0]!.end
    const at = performance.now()
    if (begun === undefined && done >= WARM_UP) begun = { at, done }
    if (begun !== undefined && done >= WARM_UP + MEASURED) return (1000 * (done - begun.done)) / (at - begun.at)
  }
  throw new Error(`expected ${WARM_UP + MEASURED} mini-batches learned within ${PATIENCE_MS / 1000} s`)
}
