import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { regressions } from './guard.ts'
import { pipelinePlot, pipelineTable } from './report.ts'
import type { RunOptions, RunResult } from './run.ts'
import type { Format } from './source.ts'

export const PIPELINE_USAGE = `npm run bench -- pipeline [options]
  --json FILE       also write the results here
  --events N        events a run, after a warm-up (default: 400000)
  --rounds N        interleaved rounds (default: 5)
  --formats LIST    avro,json (default: both)
  --accept          keep results that fall behind the committed ones`

const DOCUMENTS = join(import.meta.dirname, '../../../docs/benchmarks')

/** Medians of one format's rounds; ratios are medians of the rounds' ratios. */
export interface PipelineResult extends RunResult {
  readonly log: 'embedded'
  readonly format: Format
  readonly shape: 'c'
  readonly events: number
  readonly rounds: number
  /** to publish + consume + publish of the same bytes: by elapsed time, and by processor time */
  readonly ratioToBareLog: number
  readonly processorRatioToBareLog: number
  /** to a log that does every publication and consumption of the pipeline, copying */
  readonly ratioToSameHops: number
  readonly processorRatioToSameHops: number
  readonly bareLog: RunResult
  readonly sameHops: RunResult
  /** interquartile range of the pipeline's events per second, as a share of the median */
  readonly spread: number
}

/** Measures, prints, compares with the committed ratios, writes docs/benchmarks. @returns the exit code */
export async function benchPipeline(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'string' },
      events: { type: 'string', default: '400000' },
      rounds: { type: 'string', default: '5' },
      formats: { type: 'string', default: 'avro,json' },
      accept: { type: 'boolean', default: false },
    },
  })
  const formats = values.formats.split(',') as Format[]
  const events = Number(values.events)
  const rounds = Number(values.rounds)
  const results: PipelineResult[] = []
  for (const format of formats) results.push(await measureFormat(format, events, rounds))
  const json = `${JSON.stringify({ pipeline: results }, undefined, 1)}\n`
  const table = pipelineTable(results, machine())
  console.log(table)
  if (values.json !== undefined) writeFileSync(values.json, json)
  const fallen = regressions(committedResults(), results)
  if (fallen.length > 0 && !values.accept) {
    console.error('Slower than the committed ratios (docs/benchmarks is left as it is; --accept writes it):')
    for (const line of fallen) console.error(`  ${line}`)
    return 1
  }
  mkdirSync(DOCUMENTS, { recursive: true })
  writeFileSync(join(DOCUMENTS, 'pipeline.json'), json)
  writeFileSync(join(DOCUMENTS, 'pipeline.md'), table)
  writeFileSync(join(DOCUMENTS, 'pipeline.svg'), pipelinePlot(results))
  return 0
}

function committedResults(): PipelineResult[] {
  const file = join(DOCUMENTS, 'pipeline.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).pipeline : []
}

async function measureFormat(format: Format, events: number, rounds: number): Promise<PipelineResult> {
  const bare: RunResult[] = []
  const hops: RunResult[] = []
  const eddy: RunResult[] = []
  for (let round = 0; round < rounds; round++) {
    bare.push(await runApart({ what: 'bare', format, events }))
    eddy.push(await runApart({ what: 'eddy', format, events }))
    hops.push(await runApart({ what: 'hops', format, events }))
    console.error(`${format}, round ${round + 1} of ${rounds}: ${Math.round(eddy.at(-1)!.eventsPerSecond)} events/s`)
  }
  const ratio = (to: readonly RunResult[], of: (result: RunResult) => number): number =>
    median(eddy.map((result, round) => of(result) / of(to[round]!)))
  const elapsed = ({ eventsPerSecond }: RunResult): number => eventsPerSecond
  const processor = ({ eventsPerProcessorSecond }: RunResult): number => eventsPerProcessorSecond
  const speeds = eddy.map(elapsed)
  return {
    log: 'embedded',
    format,
    shape: 'c',
    events,
    rounds,
    ...medians(eddy),
    ratioToBareLog: ratio(bare, elapsed),
    processorRatioToBareLog: ratio(bare, processor),
    ratioToSameHops: ratio(hops, elapsed),
    processorRatioToSameHops: ratio(hops, processor),
    spread: (quantile(speeds, 0.75) - quantile(speeds, 0.25)) / median(speeds),
    bareLog: medians(bare),
    sameHops: medians(hops),
  }
}

/** A run in a process of its own, with the flags the command line starts Node with. */
async function runApart(options: RunOptions): Promise<RunResult> {
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning', '--max-semi-space-size=16']
  const file = join(import.meta.dirname, 'run.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, file, JSON.stringify(options)])
  return JSON.parse(stdout) as RunResult
}

function medians(results: readonly RunResult[]): RunResult {
  const of = (value: (result: RunResult) => number): number => median(results.map(value))
  return {
    eventsPerSecond: of(result => result.eventsPerSecond),
    eventsPerProcessorSecond: of(result => result.eventsPerProcessorSecond),
    residentMegabytes: of(result => result.residentMegabytes),
    eventLoopDelayP99: of(result => result.eventLoopDelayP99),
    eventLoopDelayMax: of(result => result.eventLoopDelayMax),
    ...(results[0]!.latency === undefined
      ? {}
      : { latency: { p50: of(({ latency }) => latency!.p50), p99: of(({ latency }) => latency!.p99) } }),
  }
}

const median = (values: readonly number[]): number => quantile(values, 0.5)

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = q * (sorted.length - 1)
  const below = sorted[Math.floor(at)]!
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below)
}

function machine(): string[] {
  const load = loadavg().map(value => value.toFixed(2))
  return [
    `processor: ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `system: ${type()} ${release()}; load when measured (1, 5, 15 minutes): ${load.join(' ')}`,
    `Node ${process.versions.node} (V8 ${process.versions.v8})`,
  ]
}
