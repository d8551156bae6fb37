import type { KafkaResult } from './command.ts'
import type { Contender } from './contenders.ts'
import { PACED } from './latency.ts'
import { BATCH_SIZE } from './workers.ts'

const NAMES: Readonly<Record<Contender, string>> = {
  relay: 'bare kafkajs relay, exactly once',
  python: 'confluent-kafka + scikit-learn, at least once',
  kafkajs: '**eddy scoring**, kafkajs, exactly once',
  platformatic: '**eddy scoring**, @platformatic/kafka, exactly once',
}

const thousands = (rate: number): string => (rate / 1000).toFixed(1)
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`

/** The results as markdown. */
export function kafkaTable(result: KafkaResult, machine: readonly string[]): string {
  const { events, rounds, throughput, latency, workers } = result
  return [
    '# Kafka: feature vectors to committed labels',
    '',
    'Written by `npm run bench -- pipeline --kafka`; machine-readable in `kafka.json`, the plot in `kafka.svg`.',
    '',
    ...machine.map(line => `- ${line}`),
    `- d=16 K=8 full (shape c), ${events} events a run, 3 partitions, one Java broker on the same cores; medians of ${rounds} interleaved rounds,`,
    '  each contender a process of its own that reads the same topic from its beginning; the clock starts after a quarter of the events',
    '',
    '*Relay*: what a user of kafkajs would write, a transaction a fetched batch, the same keys and as many bytes as a label, no scoring.',
    '*Python*: `predict_proba` in batches of 2,000, features taken from the end of the Avro bytes without an Avro library, flushed and then',
    'committed (test/bench/kafka/scikit_learn.py). The rates are of committed positions, asked of the broker from outside.',
    '',
    '| | k events/s | × relay | × Python | largest − smallest |',
    '|---|---|---|---|---|',
    ...throughput.map(
      ({ contender, eventsPerSecond, ratioToRelay, ratioToPython, spread }) =>
        `| ${NAMES[contender]} | ${thousands(eventsPerSecond)} | ${ratioToRelay.toFixed(2)} | ${ratioToPython.toFixed(2)} | ${percent(spread)} |`,
    ),
    '',
    `Latency at ${PACED} events a second, from the publication of the event (every 5 ms, no transaction) to its label in the hands of a`,
    'consumer that reads what is committed; milliseconds, medians of the rounds:',
    '',
    '| | p50 | p99 | rounds (p50/p99) |',
    '|---|---|---|---|',
    ...latency.map(
      ({ contender, p50, p99, rounds: all }) =>
        `| ${NAMES[contender]} | ${p50} | ${p99} | ${all.map(one => `${one.p50}/${one.p99}`).join(', ')} |`,
    ),
    '',
    ...workersTable(workers),
  ].join('\n')
}

function workersTable(workers: KafkaResult['workers']): string[] {
  if (workers.length === 0) return []
  return [
    `Learning with two \`eddy em-worker\` processes against one, d=32 K=16 full (shape d), mini-batches of ${BATCH_SIZE}, 4 partitions, one`,
    'updater, each worker on one thread; k events/s. With the compiled kernel the E-step is a small part of what an event costs on Kafka;',
    'the TypeScript kernel makes it the bound:',
    '',
    '| kernel | one worker | two workers | speed-up | largest − smallest |',
    '|---|---|---|---|---|',
    ...workers.map(
      ({ kernel, oneEventsPerSecond, twoEventsPerSecond, speedUp, spread }) =>
        `| ${kernel} | ${thousands(oneEventsPerSecond)} | ${thousands(twoEventsPerSecond)} | ${speedUp.toFixed(2)} | ${percent(spread)} |`,
    ),
    '',
  ]
}

const COLOURS: Readonly<Record<Contender, string>> = {
  relay: '#bbbbbb',
  python: '#888888',
  kafkajs: '#1b6ca8',
  platformatic: '#6fb1e0',
}

/** Bars of events per second. */
export function kafkaPlot({ throughput }: KafkaResult): string {
  const widest = Math.max(...throughput.map(({ eventsPerSecond }) => eventsPerSecond))
  const height = 40 + throughput.length * 26
  const title = 'Thousands of events scored per second on Kafka'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${height}" viewBox="0 0 760 ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="760" height="${height}" fill="#fff"/>`,
    `<text x="10" y="20" font-weight="bold">${title}</text>`,
    ...throughput.map(({ contender, eventsPerSecond }, i) => {
      const y = 32 + i * 26
      const width = (370 * eventsPerSecond) / widest
      const name = NAMES[contender].replaceAll('**', '')
      return `<text x="310" y="${y + 15}" text-anchor="end">${name}</text><rect x="318" y="${y}" width="${width.toFixed(1)}" height="20" fill="${COLOURS[contender]}"/><text x="${(324 + width).toFixed(1)}" y="${y + 15}">${thousands(eventsPerSecond)}</text>`
    }),
    '</svg>',
    '',
  ].join('\n')
}
