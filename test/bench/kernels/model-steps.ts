import {
  type Block,
  createKernel,
  createSpecification,
  empty,
  type Parameters,
  type StepwiseState,
  scale,
  specifiedModel,
} from '@eddy/mixture'
import { Learner } from '@eddy/stepwise-em'
import { localSteps, type ModelThreads, modelThreads } from '@eddy/threads'
import type { Step } from './contenders.ts'
import { SHAPES, sampleEvents, trueParameters } from './shapes.ts'

export type Variant = 'dense' | 'skip'

/** What is done again and again: a step over batches of a shape's events. */
export interface Task {
  /** of a shape */
  readonly shape: string
  readonly step: Step
  readonly variant: Variant
  readonly batch: number
}

export interface StepRunner {
  /** @returns events per second on the wall */
  run(task: Task, seconds: number): Promise<number>
  close(): Promise<void>
}

const ROWS = 16 * 1024

/** As the services have their batches. */
const shared = (length: number) => new Float64Array(new SharedArrayBuffer(8 * length))

/**
 * The steps of the services' learning and scoring for one shape: E-step, blend and M-step; or scoring.
 * @param threads of their own; 0 for this one
 */
export async function stepRunner(name: string, variant: Variant, threads: number): Promise<StepRunner> {
  const shape = SHAPES.find(each => each.name === name)!
  const { components, columns, covariance } = shape
  const specification = createSpecification({
    features: Array.from({ length: columns }, (_, i) => `x${i}`),
    components,
    covariance,
    standardise: false,
    stepSize: { exponent: 0.8, offset: 4 },
  })
  const initial = withIdentityTransform(trueParameters(shape, 1), columns)
  const { block: sampled } = sampleEvents(shape, initial, ROWS, 2)
  const block = { ...sampled, values: shared(ROWS * columns) }
  block.values.set(sampled.values)
  const text = JSON.stringify(specification)
  const negligible = variant === 'dense' ? 0 : 1e-17
  const weights = shared(ROWS).fill(1)
  const { mixture } = specifiedModel(specification)
  const start = empty(mixture)
  mixture.expectation(initial, block, undefined, start)
  const state: StepwiseState = {
    parameters: initial,
    statistics: scale(start, 1 / ROWS),
    step: 1000,
    weight: 1000 * ROWS,
    effectiveSampleSize: ROWS,
  }
  const steps: ModelThreads =
    threads > 0
      ? modelThreads(threads, { kernelOptions: { negligible } })
      : localSteps(createKernel('auto', { negligible }))
  const learner = new Learner(text, state, steps.mStep)
  const sum = shared(mixture.statisticsLength)
  const decoded = structuredClone(initial)
  /** The newest parameters as a worker has them from the log: in memory that is not shared with the threads. */
  const newest = (): Parameters => {
    const entries = Object.entries(learner.state.parameters)
    for (const [name, array] of entries) decoded[name]!.set(array)
    return Object.fromEntries(entries.map(([name]) => [name, decoded[name]!.subarray()]))
  }
  const em = async (parameters: Parameters, batch: Block): Promise<void> => {
    const snapshot = { specification: text, parameters }
    const { statistics, weight } = await steps.eStep(snapshot, batch, weights.subarray(0, batch.rows), sum)
    await learner.learn(statistics, weight)
  }
  return {
    async run({ step, batch }, seconds) {
      const into = { posterior: shared(batch * components), logDensity: shared(batch) }
      const snapshot = { specification: text, parameters: initial }
      let events = 0
      let elapsed = 0
      do {
        const at = (events % ROWS) * columns
        const part = { rows: batch, columns, values: block.values.subarray(at, at + batch * columns) }
        const parameters = step === 'em' ? newest() : initial
        const from = performance.now()
        if (step === 'em') await em(parameters, part)
        else await steps.score(snapshot, part, into)
        events += batch
        elapsed += (performance.now() - from) / 1000
      } while (elapsed < seconds)
      return events / elapsed
    },
    close: () => steps.close(),
  }
}

function withIdentityTransform(parameters: Parameters, columns: number): Parameters {
  const ones = () => new Float64Array(columns).fill(1)
  return {
    ...parameters,
    transformCentre: new Float64Array(columns),
    transformScale: ones(),
    transformPower: ones(),
  }
}
