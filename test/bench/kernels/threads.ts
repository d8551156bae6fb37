import { Worker } from 'node:worker_threads'
import {
  type Block,
  DEFAULT_PRIOR,
  empty,
  gaussian,
  mixture,
  type Parameters,
  type StepwiseState,
  scale,
  stepwiseUpdate,
} from '@eddy/mixture'
import { type Contender, eddy, type Step } from './contenders.ts'
import { SHAPES, type Shape, sampleEvents, trueParameters } from './shapes.ts'
import { median } from './statistics.ts'

/** A start row that ends the threads. */
export const STOP = -1

/** What the main thread and the E-step threads share. */
export interface SharedWork {
  readonly shape: Shape
  readonly batch: number
  readonly index: number
  readonly threads: number
  readonly negligible: number
  /** generation, threads still at work, first row, step (0 em, 1 score) */
  readonly control: SharedArrayBuffer
  readonly events: SharedArrayBuffer
  readonly parameters: SharedArrayBuffer
  /** this thread's own */
  readonly statistics: SharedArrayBuffer
  readonly posterior: SharedArrayBuffer
  readonly logDensity: SharedArrayBuffer
}

const NAMES = ['weights', 'means', 'precisionsCholesky', 'logDeterminants', 'reference'] as const

const lengths = ({ components: K, columns: d, covariance }: Shape): number[] => {
  const p = covariance === 'full' ? (d * (d + 1)) / 2 : d
  return [K, K * d, K * p, K, d]
}

/** The parameters of an E-step as views of shared memory: new ones, since a kernel keeps what it knows by identity. */
export function sharedParameters(shape: Shape, buffer: SharedArrayBuffer): Parameters {
  const sizes = lengths(shape)
  let offset = 0
  return Object.fromEntries(
    NAMES.map((name, i) => {
      const array = new Float64Array(buffer, offset, sizes[i])
      offset += 8 * sizes[i]!
      return [name, array]
    }),
  )
}

/** Eddy with the E-step and scoring on several threads with shared memory, each with its own kernel; the M-step on this one. */
export async function threaded(
  shape: Shape,
  parameters: Parameters,
  block: Block,
  batch: number,
  threads: number,
  negligible: number,
): Promise<Contender> {
  const { components, columns, covariance } = shape
  const model = mixture(gaussian({ components, columns, covariance }))
  const shared = (doubles: number) => new SharedArrayBuffer(8 * doubles)
  const control = new SharedArrayBuffer(16)
  const signals = new Int32Array(control)
  const events = shared(block.values.length)
  new Float64Array(events).set(block.values)
  const buffer = shared(lengths(shape).reduce((a, b) => a + b, 0))
  const target = sharedParameters(shape, buffer)
  const posterior = shared(batch * components)
  const logDensity = shared(batch)
  const statistics = Array.from({ length: threads }, () => shared(model.statisticsLength))
  const workers = statistics.map((own, index) => {
    const workerData: SharedWork = {
      ...{ shape, batch, index, threads, negligible, control, events },
      ...{ parameters: buffer, statistics: own, posterior, logDensity },
    }
    const file = new URL('./threads-worker.ts', import.meta.url)
    return new Worker(file, { workerData, execArgv: ['--conditions=source'] })
  })
  const start = empty(model)
  const first = model.expectation(parameters, block, undefined, start)
  const settings = { prior: DEFAULT_PRIOR, stepSize: { exponent: 0.8, offset: 4 } }
  let state: StepwiseState = {
    parameters,
    statistics: scale(start, 1 / first.weight),
    step: 1000,
    effectiveSampleSize: block.rows,
  }
  const sum = empty(model)
  const views = statistics.map(own => new Float64Array(own))

  const run = async (row: number, step: Step): Promise<void> => {
    for (const name of NAMES) target[name]!.set(state.parameters[name]!)
    Atomics.store(signals, 1, threads)
    Atomics.store(signals, 2, row)
    Atomics.store(signals, 3, step === 'em' ? 0 : 1)
    Atomics.add(signals, 0, 1)
    Atomics.notify(signals, 0)
    for (let left = Atomics.load(signals, 1); left > 0; left = Atomics.load(signals, 1)) {
      const { async, value } = Atomics.waitAsync(signals, 1, left)
      if (async) await value
    }
  }
  await run(0, 'em')
  return {
    description: `${threads} threads`,
    async run(step, size, seconds) {
      if (size !== batch) throw new Error(`batch: expected ${batch}, got ${size}`)
      const whole = Math.floor(block.rows / batch) * batch
      const from = performance.now()
      let count = 0
      let elapsed = 0
      do {
        await run(count % whole, step)
        if (step === 'em') {
          for (let i = 0; i < sum.length; i++) {
            let value = 0
            for (const view of views) value += view[i]!
            sum[i] = value / batch
          }
          state = stepwiseUpdate(model, settings, state, sum, batch)
        }
        count += batch
        elapsed = (performance.now() - from) / 1000
      } while (elapsed < seconds)
      return count / elapsed
    },
    close() {
      Atomics.store(signals, 2, STOP)
      Atomics.add(signals, 0, 1)
      Atomics.notify(signals, 0)
      for (const worker of workers) worker.unref()
    },
  }
}

/** Two threads beside one. */
export interface ThreadsResult {
  readonly shape: string
  readonly step: Step
  readonly variant: 'dense' | 'skip'
  readonly batch: number
  readonly ratio: number
}

/** Measures `threaded` with two threads against one thread without any sharing, interleaved. */
export async function measureThreads(
  batches: readonly number[],
  rounds: number,
  seconds: number,
): Promise<ThreadsResult[]> {
  const results: ThreadsResult[] = []
  for (const shape of SHAPES.filter(({ name }) => 'cde'.includes(name))) {
    const parameters = trueParameters(shape, 1)
    const { block } = sampleEvents(shape, parameters, 16 * 1024, 2)
    for (const batch of batches)
      for (const variant of ['dense', 'skip'] as const) {
        const negligible = variant === 'dense' ? 0 : 1e-17
        const one = eddy(shape, parameters, block, 'auto', negligible, 'wall')
        const two = await threaded(shape, parameters, block, batch, 2, negligible)
        for (const step of ['em', 'score'] as const) {
          const rates: [number[], number[]] = [[], []]
          for (let i = -1; i < rounds; i++)
            for (const [c, contender] of [one, two].entries()) {
              const rate = await contender.run(step, batch, seconds)
              if (i >= 0) rates[c]!.push(rate)
            }
          const ratio = Number((median(rates[1]) / median(rates[0])).toPrecision(3))
          results.push({ shape: shape.name, step, variant, batch, ratio })
          console.error(`two threads, ${shape.name} ${step} ${variant} ${batch}: ${ratio}`)
        }
        two.close()
      }
  }
  return results
}

/** The results as markdown. */
export function threadsTable(results: readonly ThreadsResult[]): string {
  const batches = [...new Set(results.map(({ batch }) => batch))]
  const lines = [
    '## Two threads beside one',
    '',
    'E-step and scoring on two worker threads with shared memory, the M-step on a third that otherwise waits; events per second as a multiple of one thread.',
    '',
    `| shape | step | variant |${batches.map(batch => ` batch ${batch} |`).join('')}`,
    `|---|---|---|${batches.map(() => '---|').join('')}`,
  ]
  for (const { shape, step, variant, batch } of results)
    if (batch === batches[0])
      lines.push(
        `| ${shape} | ${step} | ${variant} |${batches
          .map(size => {
            const found = results.find(
              r => r.shape === shape && r.step === step && r.variant === variant && r.batch === size,
            )
            return ` ${found?.ratio.toFixed(2) ?? '–'} |`
          })
          .join('')}`,
      )
  return [...lines, ''].join('\n')
}
