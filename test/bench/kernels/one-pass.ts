import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  applyTransform,
  type Block,
  createMixture,
  createSpecification,
  empty,
  gaussian,
  mixture,
  random,
  type StepwiseState,
  startingState,
  stepwiseUpdate,
  warmUp,
} from '@eddy/mixture'
import { ONE_THREAD } from './contenders.ts'
import { startLineProcess } from './line-process.ts'
import { type Shape, sampleEvents, trueParameters } from './shapes.ts'
import { adjustedRandIndex, median } from './statistics.ts'

/** d=16, K=8, full: as far apart as gives the Bayes rule an adjusted Rand index of about .994. */
const SHAPE: Shape = { name: 'one-pass', covariance: 'full', components: 8, columns: 16, apart: 1.45 }
const ROWS = 400_000
const BATCH = 1024

/** Eddy and betula-cluster on the same events once, in time order; and what the true parameters would say. */
export interface OnePass {
  readonly seed: number
  readonly bayesRule: number
  readonly eddy: { readonly eventsPerSecond: number; readonly withWarmUp: number; readonly adjustedRandIndex: number }
  readonly betula: {
    /** of `partial_fit` */
    readonly eventsPerSecond: number
    /** with the clustering of the micro-clusters at the end */
    readonly withFinish: number
    readonly adjustedRandIndex: number
  }
}

export async function onePass(python: string, directory: string, seeds: number): Promise<OnePass[]> {
  mkdirSync(directory, { recursive: true })
  const env = { ...ONE_THREAD, RAYON_NUM_THREADS: '1' }
  const script = join(import.meta.dirname, 'betula.py')
  const peer = await startLineProcess(python, [script, `${SHAPE.components}`, `${SHAPE.columns}`], env)
  const results: OnePass[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const parameters = trueParameters(SHAPE, seed)
    const { block, labels } = sampleEvents(SHAPE, parameters, ROWS, 1000 + seed)
    const file = join(directory, 'one-pass.f64')
    const answer = join(directory, 'one-pass.labels')
    writeFileSync(file, Buffer.from(block.values.buffer))
    const [fit, finish] = (await peer.ask(`${file} ${answer} ${seed}`)).split(' ').map(Number)
    const bytes = readFileSync(answer)
    const betulaLabels = new Int32Array(bytes.buffer, bytes.byteOffset, ROWS)
    const eddy = runEddy(block, seed)
    results.push({
      seed,
      bayesRule: adjustedRandIndex(labels, mostProbable(block, parameters)),
      eddy: {
        eventsPerSecond: Math.round(ROWS / eddy.seconds),
        withWarmUp: Math.round(ROWS / (eddy.seconds + eddy.warmUpSeconds)),
        adjustedRandIndex: adjustedRandIndex(labels, eddy.labels),
      },
      betula: {
        eventsPerSecond: Math.round(ROWS / fit!),
        withFinish: Math.round(ROWS / (fit! + finish!)),
        adjustedRandIndex: adjustedRandIndex(labels, betulaLabels),
      },
    })
    const { eddy: e, betula: b, bayesRule } = results.at(-1)!
    console.error(
      `seed ${seed}: eddy ${rate(e.eventsPerSecond)} ARI ${e.adjustedRandIndex.toFixed(5)}, betula ${rate(b.eventsPerSecond)} ARI ${b.adjustedRandIndex.toFixed(5)}, Bayes rule ${bayesRule.toFixed(5)}`,
    )
  }
  peer.close()
  return results
}

const rate = (value: number): string => `${(value / 1e6).toFixed(2)}M/s`

/** Warm-up on the first events, then one stepwise update a batch, the transform included: what the service does. */
function runEddy(block: Block, seed: number) {
  const { columns: d, values } = block
  const features = Array.from({ length: d }, (_, j) => `x${j}`)
  const specification = createSpecification({ components: SHAPE.components, features })
  const model = createMixture(specification)
  const seconds = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
  const start = seconds()
  const head = {
    rows: specification.warmUp.events,
    columns: d,
    values: values.subarray(0, specification.warmUp.events * d),
  }
  const warm = warmUp(specification, head, undefined, random(seed))
  const warmed = seconds()
  let state: StepwiseState = startingState(model, warm)
  const statistics = empty(model)
  const into = { values: new Float64Array(BATCH * d), logJacobian: new Float64Array(BATCH) }
  const transformed = (from: number): Block => {
    const rows = Math.min(BATCH, ROWS - from)
    const part = { rows, columns: d, values: values.subarray(from * d, (from + rows) * d) }
    return applyTransform(specification, state.parameters, part, into).block
  }
  for (let from = 0; from < ROWS; from += BATCH) {
    statistics.fill(0)
    const { weight } = model.expectation(state.parameters, transformed(from), undefined, statistics)
    state = stepwiseUpdate(model, specification, state, statistics, weight)
  }
  const end = seconds()
  const labels = new Int32Array(ROWS)
  for (let from = 0; from < ROWS; from += BATCH) {
    const part = transformed(from)
    labels.set(mostProbable(part, state.parameters), from)
  }
  return { warmUpSeconds: warmed - start, seconds: end - warmed, labels }
}

/** The most probable component of each event. */
function mostProbable(block: Block, parameters: StepwiseState['parameters']): Int32Array {
  const { components, columns, covariance } = SHAPE
  const posterior = new Float64Array(block.rows * components)
  mixture(gaussian({ components, columns, covariance })).score(
    parameters,
    block,
    posterior,
    new Float64Array(block.rows),
  )
  const labels = new Int32Array(block.rows)
  for (let n = 0; n < block.rows; n++) {
    let best = 0
    for (let k = 1; k < components; k++)
      if (posterior[n * components + k]! > posterior[n * components + best]!) best = k
    labels[n] = best
  }
  return labels
}

/** The results as markdown. */
export function onePassTable(results: readonly OnePass[]): string {
  const middle = (of: (result: OnePass) => number) => median(results.map(of))
  const worst = (of: (result: OnePass) => number) => Math.max(...results.map(of))
  const rows = results.map(
    r =>
      `| ${r.seed} | ${rate(r.eddy.eventsPerSecond)} | ${rate(r.eddy.withWarmUp)} | ${rate(r.betula.eventsPerSecond)} | ${rate(r.betula.withFinish)} | ${(r.eddy.eventsPerSecond / r.betula.eventsPerSecond).toFixed(2)} | ${r.bayesRule.toFixed(5)} | ${(r.bayesRule - r.eddy.adjustedRandIndex).toFixed(5)} | ${(r.bayesRule - r.betula.adjustedRandIndex).toFixed(5)} |`,
  )
  return [
    '## One pass over a stream, beside betula-cluster',
    '',
    `${ROWS.toLocaleString('en')} events, d=16, K=8, full covariance, in time order, once. Eddy: transform, E-step, blend and M-step of batches of ${BATCH} after a warm-up`,
    'on the first 4,096 events; betula-cluster: `partial_fit` into micro-clusters (its faster diagonal feature), then its `gmm-full` head. One thread',
    'each, alternating, seconds of processor time. The gap is to the adjusted Rand index (ARI) of the Bayes rule with the true parameters.',
    '',
    '| seed | Eddy | with warm-up | betula `partial_fit` | with its finish | ratio | Bayes ARI | gap Eddy | gap betula |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
    `| median | ${rate(middle(r => r.eddy.eventsPerSecond))} | ${rate(middle(r => r.eddy.withWarmUp))} | ${rate(middle(r => r.betula.eventsPerSecond))} | ${rate(middle(r => r.betula.withFinish))} | ${middle(r => r.eddy.eventsPerSecond / r.betula.eventsPerSecond).toFixed(2)} | ${middle(r => r.bayesRule).toFixed(5)} | ${middle(r => r.bayesRule - r.eddy.adjustedRandIndex).toFixed(5)} | ${middle(r => r.bayesRule - r.betula.adjustedRandIndex).toFixed(5)} |`,
    `| worst | | | | | | | ${worst(r => r.bayesRule - r.eddy.adjustedRandIndex).toFixed(5)} | ${worst(r => r.bayesRule - r.betula.adjustedRandIndex).toFixed(5)} |`,
    '',
  ].join('\n')
}
