import {
  type Block,
  createMixture,
  createSpecification,
  DEFAULT_PRIOR,
  empty,
  type FeatureType,
  type Parameters,
  random,
  scale,
  standardNormal,
  stepwiseUpdate,
} from '@eddy/mixture'
import type { Step } from './contenders.ts'
import { median } from './statistics.ts'

const COMPONENTS = 8
const ROWS = 8 * 1024
const BATCH = 1024

/** Features of one mixture; in `missing` of the events, in one of `patterns` ways, some are absent. */
type LearnedType = Exclude<FeatureType, 'exposure'>

interface MixedCase {
  readonly name: string
  readonly covariance: 'full' | 'diag'
  readonly types: Readonly<Partial<Record<LearnedType, number>>>
  readonly patterns: number
  readonly missing: number
}

const CASES: readonly MixedCase[] = (['full', 'diag'] as const).flatMap(covariance => [
  { name: '16 numbers', covariance, types: { number: 16 }, patterns: 0, missing: 0 },
  { name: '12 numbers, 4 categories', covariance, types: { number: 12, category: 4 }, patterns: 0, missing: 0 },
  { name: '12 numbers, 4 counts', covariance, types: { number: 12, count: 4 }, patterns: 0, missing: 0 },
  {
    name: '12 numbers, 2 categories, 1 count, 1 boolean',
    covariance,
    types: { number: 12, category: 2, count: 1, boolean: 1 },
    patterns: 0,
    missing: 0,
  },
  {
    name: '16 numbers, missing in 30 % in 5 ways',
    covariance,
    types: { number: 16 },
    patterns: 5,
    missing: 0.3,
  },
  {
    name: '16 numbers, missing in 30 % in 60 ways',
    covariance,
    types: { number: 16 },
    patterns: 60,
    missing: 0.3,
  },
])

/** Nanoseconds an event, medians. */
export interface MixedResult extends MixedCase {
  readonly nanoseconds: Readonly<Record<Step, number>>
}

function sample({ types, patterns, missing }: MixedCase, order: readonly LearnedType[]): Block {
  const uniform = random(3)
  const columns = order.length
  const values = new Float64Array(ROWS * columns)
  for (let n = 0; n < ROWS; n++) {
    const k = Math.floor(uniform() * COMPONENTS)
    for (let j = 0; j < columns; j++) {
      const value = {
        number: () => standardNormal(uniform) + 2 * Math.sin(7 * k + 3 * j),
        count: () => Math.floor(-Math.log(1 - uniform()) * (1 + k)),
        boolean: () => Number(uniform() < (k + 1) / 10),
        'negative-binomial': () => Math.floor(-Math.log(1 - uniform()) * (1 + k)),
        'zero-inflated': () => (uniform() < 0.4 ? 0 : Math.floor(uniform() * (2 + k))),
        duration: () => -Math.log(1 - uniform()) * (1 + k),
        category: () => Math.floor(6 * uniform() ** (1 + k / 4)),
      }[order[j]!]
      values[n * columns + j] = value()
    }
    if (uniform() >= missing) continue
    const pattern = Math.floor(uniform() * patterns)
    for (let j = 0; j <= pattern % 3; j++) values[n * columns + ((5 * pattern + 3 * j) % types.number!)] = Number.NaN
  }
  return { rows: ROWS, columns, values }
}

function contender(each: MixedCase): (step: Step, seconds: number) => number {
  const order = (['number', 'count', 'category', 'boolean'] as const).flatMap(type =>
    Array.from({ length: each.types[type] ?? 0 }, () => type),
  )
  const block = sample(each, order)
  const specification = createSpecification({
    features: order.map((type, j) => ({ name: `x${j}`, type, ...(type === 'category' ? { categories: 6 } : {}) })),
    components: COMPONENTS,
    covariance: each.covariance,
    standardise: false,
  })
  const model = createMixture(specification)
  const uniform = random(4)
  const statistics = empty(model)
  const learn = (previous: Parameters): Parameters => {
    statistics.fill(0)
    model.expectation(previous, block, undefined, statistics)
    return model.maximise(statistics, DEFAULT_PRIOR, previous)
  }
  const initial = model.initial(block)
  model.inner.observe(
    statistics,
    block,
    Float64Array.from({ length: ROWS * COMPONENTS }, () => uniform() ** 6),
    initial,
  )
  let parameters = model.maximise(statistics, DEFAULT_PRIOR, initial)
  for (let i = 0; i < 5; i++) parameters = learn(parameters)
  learn(parameters)
  const settings = { prior: DEFAULT_PRIOR, stepSize: { exponent: 0.8, offset: 4 } }
  const start = scale(statistics.slice(), 1 / ROWS)
  let state = { parameters, statistics: start, step: 1000, weight: 1000 * ROWS, effectiveSampleSize: ROWS }
  const posterior = new Float64Array(BATCH * COMPONENTS)
  const logDensity = new Float64Array(BATCH)
  const { columns, values } = block
  return (step, seconds) => {
    const from = performance.now()
    const cpu = process.cpuUsage()
    let events = 0
    do {
      const at = (events % ROWS) * columns
      const batch = { rows: BATCH, columns, values: values.subarray(at, at + BATCH * columns) }
      if (step === 'em') {
        statistics.fill(0)
        const { weight } = model.expectation(state.parameters, batch, undefined, statistics)
        state = stepwiseUpdate(model, settings, state, statistics, weight)
      } else model.score(parameters, batch, posterior, logDensity)
      events += BATCH
    } while (performance.now() - from < 1000 * seconds)
    const { user, system } = process.cpuUsage(cpu)
    return (1000 * (user + system)) / events
  }
}

/** EM steps and scoring of mixed types and of events with missing values beside numbers alone, interleaved. */
export function measureMixed(rounds: number, seconds: number): MixedResult[] {
  const contenders = CASES.map(contender)
  const times = CASES.map(() => ({ em: [] as number[], score: [] as number[] }))
  for (let round = -1; round < rounds; round++)
    for (const [i, run] of contenders.entries())
      for (const step of ['em', 'score'] as const) {
        const time = run(step, seconds)
        if (round >= 0) times[i]![step].push(time)
      }
  return CASES.map((each, i) => ({
    ...each,
    nanoseconds: { em: median(times[i]!.em), score: median(times[i]!.score) },
  }))
}

/** The results as markdown. */
export function mixedTable(results: readonly MixedResult[]): string {
  const lines = [
    '## Mixed types and missing values',
    '',
    `Nanoseconds of processor time an event, K=${COMPONENTS}, batches of ${BATCH}, and as a multiple of numbers alone. Categories have six values.`,
    'Counts, categories and booleans are looked up and summed by level, in the same pass as the numbers. An event with missing values is filled',
    'with its conditional mean, component by component, and is then like any other (full), or adds nothing where it has none (diag): a way of',
    'missing costs no more than a Cholesky factor of its missing columns for each component.',
    '',
    '| covariance | features | EM step ns | × numbers | scoring ns | × numbers |',
    '|---|---|---|---|---|---|',
  ]
  for (const { covariance, name, nanoseconds } of results) {
    const numbers = results.find(each => each.covariance === covariance)!.nanoseconds
    const cells = (['em', 'score'] as const).flatMap(step => [
      nanoseconds[step].toFixed(0),
      (nanoseconds[step] / numbers[step]).toFixed(1),
    ])
    lines.push(`| ${covariance} | ${name} | ${cells.join(' | ')} |`)
  }
  return [...lines, ''].join('\n')
}
