import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { regressions } from './guard.ts'
import { describeMachine } from './machine.ts'
import { type KernelResult, measure } from './measure.ts'
import { installPeers } from './peers.ts'
import { SHAPES } from './shapes.ts'
import { kernelPlot, kernelTable } from './table.ts'

export const KERNELS_USAGE = `npm run bench -- kernels [options]
  --json FILE       also write the results here
  --shapes abcde    shapes to measure (default: all)
  --batches LIST    batch sizes, comma-separated (default: 64,256,1024,4096)
  --rounds N        interleaved rounds (default: 11)
  --seconds S       each contender's turn (default: 0.15)
  --pomegranate     measure pomegranate too (installs PyTorch)
  --accept          keep results that fall behind the committed ones`

const DOCUMENTS = join(import.meta.dirname, '../../../docs/benchmarks')

/** Measures the kernels, compares with the committed ratios, and writes docs/benchmarks. @returns the exit code */
export async function benchKernels(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'string' },
      shapes: { type: 'string', default: 'abcde' },
      batches: { type: 'string', default: '64,256,1024,4096' },
      rounds: { type: 'string', default: '11' },
      seconds: { type: 'string', default: '0.15' },
      pomegranate: { type: 'boolean', default: false },
      accept: { type: 'boolean', default: false },
    },
  })
  const extra = values.pomegranate ? ['pomegranate'] : []
  const peers = installPeers(extra)
  const shapes = SHAPES.filter(shape => values.shapes.includes(shape.name))
  const batches = values.batches.split(',').map(Number)
  const rounds = Number(values.rounds)
  const measurement = await measure({
    shapes,
    batches,
    rounds,
    seconds: Number(values.seconds),
    python: peers.python,
    directory: join(tmpdir(), 'eddy-bench'),
    extra,
  })
  const { results } = measurement
  const json = `${JSON.stringify({ kernels: results }, undefined, 1)}\n`
  if (values.json !== undefined) writeFileSync(values.json, json)
  const table = kernelTable(measurement, describeMachine(peers.versions, measurement.descriptions), rounds)
  console.log(table)

  const committedFile = join(DOCUMENTS, 'kernels.json')
  const committed: KernelResult[] = existsSync(committedFile)
    ? JSON.parse(readFileSync(committedFile, 'utf8')).kernels
    : []
  const fallen = regressions(committed, results)
  if (fallen.length > 0 && !values.accept) {
    console.error(`Slower than the committed ratios (docs/benchmarks is left as it is; --accept writes it):`)
    for (const line of fallen) console.error(`  ${line}`)
    return 1
  }
  if (shapes.length === SHAPES.length && batches.includes(1024)) {
    mkdirSync(DOCUMENTS, { recursive: true })
    writeFileSync(committedFile, json)
    writeFileSync(join(DOCUMENTS, 'kernels.md'), table)
    writeFileSync(join(DOCUMENTS, 'kernels.svg'), kernelPlot(results, 1024))
  }
  return 0
}
