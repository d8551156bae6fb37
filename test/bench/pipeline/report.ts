import type { PipelineResult } from './command.ts'
import { PACED, type RunResult } from './run.ts'

const thousands = (rate: number): string => `${(rate / 1000).toFixed(1)}`

/** Where an event's time goes: read from a CPU profile of the main thread under full load, not measured by a run. */
const PROFILE = [
  '## What bounds it',
  '',
  'The main thread, which is busy 80 to 86 % of the time; the thread that writes to SQLite takes a third of the second core, and while garbage is',
  'collected helper threads take the rest, and wait for each other. The bare log is bound by the writing thread: its main thread is idle most of',
  'the time. Of the time of an Avro event on the main thread, about:',
  '',
  '| | share |',
  '|---|---|',
  '| ingest: decoding, checking, packing | 6 % |',
  '| scoring: decoding, transform and kernel, labels packed | 18 % |',
  '| learning: mini-batches filled, E-step, M-step, snapshots written and read again | 25 % |',
  '| publishing: places and batches (7 %), copying and handing them to the writing thread (11 %) | 18 % |',
  '| garbage collection: full ones, asked for by the memory of the batches themselves | 11 % |',
  "| the benchmark's own source, which publishes in the same process | 9 % |",
  '| streams, promises, metrics, timers: a delivery each, not a record | the rest |',
  '',
  'The memory of batches, copied to the writing thread and left to the garbage collector, is the largest cost left. A JSON event takes about a',
  'quarter more time than an Avro one, to be read from its text and for being longer; one that is not written plainly (escapes, names in another',
  'order, categories) goes through `JSON.parse`. The longest turns of the event loop are full collections of garbage.',
]

/** The results as markdown. */
export function pipelineTable(results: readonly PipelineResult[], machine: readonly string[]): string {
  const [first] = results
  const rows = results.flatMap(result => [
    row(`${result.format}: bare log`, result.bareLog, '1', ''),
    row(`${result.format}: same hops`, result.sameHops, '', '1'),
    row(
      `${result.format}: **eddy up**`,
      result,
      `${result.ratioToBareLog.toFixed(2)} (${result.processorRatioToBareLog.toFixed(2)})`,
      `${result.ratioToSameHops.toFixed(2)} (${result.processorRatioToSameHops.toFixed(2)})`,
    ),
  ])
  return [
    '# Pipeline: events to durable labels in one process',
    '',
    'Written by `npm run bench -- pipeline`; machine-readable in `pipeline.json`, the plot in `pipeline.svg`.',
    '',
    ...machine.map(line => `- ${line}`),
    `- d=16 K=8 full (shape c), mini-batches of 1024, ${first?.events} events a run after a warm-up, one partition; medians of ${first?.rounds}`,
    `  interleaved rounds, each run a process of its own; interquartile range ${results.map(({ format, spread }) => `${format} ${(100 * spread).toFixed(0)} %`).join(', ')} of the median`,
    '',
    'Every publication is durable (fsync). *Bare log*: publish, consume, publish of the same bytes. *Same hops*: every publication and',
    'consumption of the pipeline (events → features → labels, features read twice), copying instead of computing. *eddy up*: ingest, E-step,',
    'M-step, snapshots, scoring. Ratios are medians over the rounds, of events a second of elapsed time and, in parentheses, of processor',
    `time, which other programs on the machine disturb less. Event-loop delay is under full load; event → label latency at ${PACED} events a second.`,
    'Short runs weigh the first second, in which code is compiled: of 100,000 events the ratio of Avro was 0.54 where of 400,000 it was 0.62.',
    '',
    '| | k events/s | k events/s of processor time | × bare log | × same hops | resident MB | loop delay p99 / max, ms | latency p50 / p99, ms |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    ...PROFILE,
    '',
  ].join('\n')
}

function row(name: string, result: RunResult, bare: string, hops: string): string {
  const { eventsPerSecond, eventsPerProcessorSecond, residentMegabytes, latency } = result
  const delay = `${result.eventLoopDelayP99.toFixed(0)} / ${result.eventLoopDelayMax.toFixed(0)}`
  const label = latency === undefined ? '' : `${latency.p50.toFixed(0)} / ${latency.p99.toFixed(0)}`
  return `| ${name} | ${thousands(eventsPerSecond)} | ${thousands(eventsPerProcessorSecond)} | ${bare} | ${hops} | ${residentMegabytes.toFixed(0)} | ${delay} | ${label} |`
}

/** Bars of events per second. */
export function pipelinePlot(results: readonly PipelineResult[]): string {
  const bars = results.flatMap(result => [
    { name: `${result.format}: bare log`, rate: result.bareLog.eventsPerSecond, colour: '#bbbbbb' },
    { name: `${result.format}: same hops`, rate: result.sameHops.eventsPerSecond, colour: '#888888' },
    { name: `${result.format}: eddy up`, rate: result.eventsPerSecond, colour: '#1b6ca8' },
  ])
  const widest = Math.max(...bars.map(({ rate }) => rate))
  const height = 40 + bars.length * 26
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${height}" viewBox="0 0 640 ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Thousands of events per second, each durable</title>',
    `<rect width="640" height="${height}" fill="#fff"/>`,
    '<text x="10" y="20" font-weight="bold">Thousands of events per second, each durable</text>',
    ...bars.map(({ name, rate, colour }, i) => {
      const y = 32 + i * 26
      const width = (430 * rate) / widest
      return `<text x="130" y="${y + 15}" text-anchor="end">${name}</text><rect x="138" y="${y}" width="${width.toFixed(1)}" height="20" fill="${colour}"/><text x="${(144 + width).toFixed(1)}" y="${y + 15}">${thousands(rate)}</text>`
    }),
    '</svg>',
    '',
  ].join('\n')
}
