import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { brokenLimits, regressions } from './guard.ts'
import { describeMachine } from './machine.ts'
import { type KernelResult, measure } from './measure.ts'
import { measureMixed, mixedTable } from './mixed.ts'
import { onePass, onePassTable } from './one-pass.ts'
import { installPeers } from './peers.ts'
import { measureScaling, scalingPlot, scalingTable } from './scaling.ts'
import { SHAPES } from './shapes.ts'
import { kernelPlot, kernelTable } from './table.ts'
import { measureThreads, threadsTable } from './threads.ts'

export const KERNELS_USAGE = `npm run bench -- kernels [options]
  --json FILE       also write the results here
  --shapes abcde    shapes to measure (default: all)
  --batches LIST    batch sizes, comma-separated (default: 64,256,1024,4096)
  --rounds N        interleaved rounds (default: 11)
  --seconds S       each contender's turn (default: 0.15)
  --pomegranate     measure pomegranate too (installs PyTorch)
  --accept          keep results that fall behind the committed ones
  --only LIST       some of table,mixed,one-pass,threads,scaling (default: all)`

const DOCUMENTS = join(import.meta.dirname, '../../../docs/benchmarks')

/** Measures, prints, compares the table with the committed ratios, writes docs/benchmarks. @returns the exit code */
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
      only: { type: 'string', default: 'table,mixed,one-pass,threads,scaling' },
    },
  })
  const extra = values.pomegranate ? ['pomegranate'] : []
  const peers = installPeers(extra)
  const sections = values.only.split(',')
  const directory = join(tmpdir(), 'eddy-bench')
  const rounds = Number(values.rounds)
  const seconds = Number(values.seconds)
  const shapes = SHAPES.filter(shape => values.shapes.includes(shape.name))
  const batches = values.batches.split(',').map(Number)
  const write = (name: string, text: string): void => {
    mkdirSync(DOCUMENTS, { recursive: true })
    writeFileSync(join(DOCUMENTS, name), text)
  }
  let exitCode = 0

  if (sections.includes('table')) {
    const { python } = peers
    const measurement = await measure({ shapes, batches, rounds, seconds, python, directory, extra })
    const { results, descriptions } = measurement
    const json = `${JSON.stringify({ kernels: results }, undefined, 1)}\n`
    if (values.json !== undefined) writeFileSync(values.json, json)
    const table = kernelTable(measurement, describeMachine(peers.versions, descriptions), rounds)
    console.log(table)
    const fallen = regressions(committedResults(), results)
    const broken = brokenLimits(results)
    if (broken.length > 0) {
      console.error('The limit in C is slower than what it is to limit (docs/benchmarks is left as it is):')
      for (const line of broken) console.error(`  ${line}`)
      exitCode = 1
    } else if (fallen.length > 0 && !values.accept) {
      console.error('Slower than the committed ratios (docs/benchmarks is left as it is; --accept writes it):')
      for (const line of fallen) console.error(`  ${line}`)
      exitCode = 1
    } else if (shapes.length === SHAPES.length && batches.includes(1024)) {
      write('kernels.json', json)
      write('kernels.md', table)
      write('kernels.svg', kernelPlot(results, 1024))
    }
  }
  if (sections.includes('mixed')) {
    const table = mixedTable(measureMixed(rounds, seconds))
    console.log(table)
    write('mixed.md', `#${table.slice(2)}`)
  }
  if (sections.includes('one-pass')) {
    const table = onePassTable(await onePass(peers.python, directory, 10))
    console.log(table)
    write('one-pass.md', `#${table.slice(2)}`)
  }
  if (sections.includes('threads')) {
    const table = threadsTable(await measureThreads(['c', 'd', 'e'], [256, 1024, 4096], rounds, seconds))
    console.log(table)
    write('threads.md', `#${table.slice(2)}`)
  }
  if (sections.includes('scaling')) {
    const results = await measureScaling(rounds, seconds)
    const table = scalingTable(results)
    console.log(table)
    write('scaling.md', `#${table.slice(2)}`)
    write('scaling.svg', scalingPlot(results))
  }
  return exitCode
}

function committedResults(): KernelResult[] {
  const file = join(DOCUMENTS, 'kernels.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).kernels : []
}
