import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startCluster } from '../../fixtures/broker-process.ts'
import { describeMachine } from '../kernels/machine.ts'
import { installPeers } from '../kernels/peers.ts'
import { SHAPES } from '../kernels/shapes.ts'
import { median, range } from '../kernels/statistics.ts'
import { Bench, createSource, scikitLearnModel } from './bench.ts'
import { type Contender, type PythonPeer, startContender, throughput } from './contenders.ts'
import { regressions } from './guard.ts'
import { type Latency, latency } from './latency.ts'
import { kafkaPlot, kafkaTable } from './report.ts'
import { measureWorkers, type WorkersResult } from './workers.ts'

export const KAFKA_USAGE = `npm run bench -- pipeline --kafka [options]
  --json FILE       also write the results here
  --events N        events a run (default: 600000)
  --rounds N        interleaved rounds (default: 3)
  --only LIST       some of throughput,latency,workers (default: all); the others keep their committed results
  --accept          keep results that fall behind the committed ones`

const DOCUMENTS = join(import.meta.dirname, '../../../docs/benchmarks')
const PARTITIONS = 3
const CONTENDERS: readonly Contender[] = ['relay', 'python', 'kafkajs', 'platformatic']
/** Whose latency is measured. */
const PACED_CONTENDERS: readonly Contender[] = ['relay', 'kafkajs', 'platformatic']
const PACED_SECONDS = 6

export interface ContenderResult {
  readonly contender: Contender
  /** median of the rounds */
  readonly eventsPerSecond: number
  /** largest less smallest, as a share of the median */
  readonly spread: number
  /** medians of the rounds' ratios */
  readonly ratioToRelay: number
  readonly ratioToPython: number
}

export interface LatencyResult extends Latency {
  readonly contender: Contender
  /** of each round, in order */
  readonly rounds: readonly Latency[]
}

export interface KafkaResult {
  readonly shape: 'c'
  readonly events: number
  readonly rounds: number
  readonly throughput: readonly ContenderResult[]
  readonly latency: readonly LatencyResult[]
  readonly workers: readonly WorkersResult[]
}

/** Measures, prints, compares the ratios with the committed ones, writes docs/benchmarks. @returns the exit code */
export async function benchKafka(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kafka: { type: 'boolean' },
      json: { type: 'string' },
      events: { type: 'string', default: '600000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: 'throughput,latency,workers' },
      accept: { type: 'boolean', default: false },
    },
  })
  const only = values.only.split(',')
  const events = Number(values.events)
  const rounds = Number(values.rounds)
  const committed = committedResult()
  const peers = installPeers(['confluent-kafka'])
  const folder = mkdtempSync(join(tmpdir(), 'eddy-bench-kafka-'))
  const cluster = await startCluster()
  try {
    const bench = new Bench(cluster.brokers, folder, PARTITIONS)
    const source = createSource(shape('c'), PARTITIONS)
    const model = join(folder, 'model.json')
    writeFileSync(model, JSON.stringify(scikitLearnModel(source)))
    const peer: PythonPeer = { python: peers.python, model }
    const result: KafkaResult = {
      shape: 'c',
      events,
      rounds,
      throughput: only.includes('throughput')
        ? await measureThroughput(bench, source, peer, events, rounds)
        : (committed?.throughput ?? []),
      latency: only.includes('latency')
        ? await measureLatency(bench, source, peer, rounds)
        : (committed?.latency ?? []),
      workers: only.includes('workers')
        ? await measureWorkers(cluster.brokers, folder, shape('d'), rounds)
        : (committed?.workers ?? []),
    }
    await bench.close()
    return report(result, committed, describeMachine(peers.versions, {}), values)
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true })
  }
}

function report(
  result: KafkaResult,
  committed: KafkaResult | undefined,
  machine: readonly string[],
  { json, accept }: { readonly json?: string | undefined; readonly accept: boolean },
): number {
  const text = `${JSON.stringify({ kafka: result }, undefined, 1)}\n`
  const table = kafkaTable(result, machine)
  console.log(table)
  if (json !== undefined) writeFileSync(json, text)
  const fallen = committed === undefined ? [] : regressions(committed, result)
  if (fallen.length > 0 && !accept) {
    console.error('Slower than the committed ratios (docs/benchmarks is left as it is; --accept writes it):')
    for (const line of fallen) console.error(`  ${line}`)
    return 1
  }
  mkdirSync(DOCUMENTS, { recursive: true })
  writeFileSync(join(DOCUMENTS, 'kafka.json'), text)
  writeFileSync(join(DOCUMENTS, 'kafka.md'), table)
  writeFileSync(join(DOCUMENTS, 'kafka.svg'), kafkaPlot(result))
  return 0
}

async function measureThroughput(
  bench: Bench,
  source: ReturnType<typeof createSource>,
  peer: PythonPeer,
  events: number,
  rounds: number,
): Promise<ContenderResult[]> {
  const features = 'features'
  await bench.createFeatures(features)
  await bench.fill(features, source, events)
  const rates = new Map<Contender, number[]>(CONTENDERS.map(contender => [contender, []]))
  for (let round = 0; round < rounds; round++)
    for (const contender of CONTENDERS) {
      const run = await bench.createRun(features, source, { client: clientOf(contender) })
      const running = startContender(contender, bench, run, peer)
      const rate = await throughput(running, bench, run, events).finally(() => running.stop())
      rates.get(contender)!.push(rate)
      console.error(`round ${round + 1} of ${rounds}, ${contender}: ${Math.round(rate)} events/s`)
    }
  const ratio = (mine: readonly number[], to: Contender): number =>
    rounded(median(mine.map((rate, round) => rate / rates.get(to)![round]!)))
  return CONTENDERS.map(contender => {
    const mine = rates.get(contender)!
    return {
      contender,
      eventsPerSecond: Math.round(median(mine)),
      spread: rounded(range(mine)),
      ratioToRelay: ratio(mine, 'relay'),
      ratioToPython: ratio(mine, 'python'),
    }
  })
}

async function measureLatency(
  bench: Bench,
  source: ReturnType<typeof createSource>,
  peer: PythonPeer,
  rounds: number,
): Promise<LatencyResult[]> {
  const measured = new Map<Contender, Latency[]>(PACED_CONTENDERS.map(contender => [contender, []]))
  for (let round = 0; round < rounds; round++)
    for (const contender of PACED_CONTENDERS) {
      const features = `paced-${contender}-${round}`
      await bench.createFeatures(features)
      const run = await bench.createRun(features, source, { client: clientOf(contender) })
      const running = startContender(contender, bench, run, peer)
      const one = await latency(running, bench, run, source, PACED_SECONDS).finally(() => running.stop())
      measured.get(contender)!.push(one)
      console.error(`round ${round + 1} of ${rounds}, ${contender}: p50 ${one.p50} ms, p99 ${one.p99} ms`)
    }
  return PACED_CONTENDERS.map(contender => {
    const all = measured.get(contender)!
    return { contender, p50: median(all.map(({ p50 }) => p50)), p99: median(all.map(({ p99 }) => p99)), rounds: all }
  })
}

/** The library by which a contender that is Eddy reaches the broker. */
const clientOf = (contender: Contender): string => (contender === 'platformatic' ? 'platformatic' : 'kafkajs')

const shape = (name: string) => SHAPES.find(each => each.name === name)!

const rounded = (value: number): number => Math.round(value * 100) / 100

function committedResult(): KafkaResult | undefined {
  const file = join(DOCUMENTS, 'kafka.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).kafka as KafkaResult) : undefined
}
