import { positionFromOutput, type StoredRecord } from '@eddy/log'
import { gapPolicy, type Metrics, maxRecordsOn, type Process, runStage, type Service, timed } from '@eddy/runtime'
import { type Configuration, groupName } from '@eddy/settings'
import type { Score } from '@eddy/threads'
import { LabelChunks } from './label-chunks.ts'
import { labelledTo } from './labelled-to.ts'
import { labelsApi } from './labels-api.ts'
import { scoring } from './scoring.ts'
import { segmentsApi } from './segments-api.ts'

export interface ScoringServiceOptions {
  readonly configuration: Configuration
  readonly score: Score
  /** told whenever something has become durable */
  readonly onDurable?: (() => void) | undefined
  /** encoded labels that readers share; to be cleared when records are erased */
  readonly chunks?: LabelChunks | undefined
}

/** Feature vectors → labels. HTTP: `GET /v1/labels`, `GET /v1/segments`. */
export function scoringService(options: ScoringServiceOptions): Service {
  const { topics, http } = options.configuration
  const { chunks = new LabelChunks() } = options
  return {
    stages: ['scoring'],
    needsModel: true,
    routes(server, { log, logger, metrics, newestSnapshot }) {
      const { maxStreams } = http
      server.register(labelsApi({ log, topic: topics.labels, maxStreams, chunks, logger, metrics }))
      server.register(segmentsApi(newestSnapshot))
    },
    run: process => runScoring(options, process),
  }
}

function runScoring(
  { configuration, score, onDurable }: ScoringServiceOptions,
  process: Pick<Process, 'assignments' | 'health' | 'log' | 'logger' | 'metrics' | 'now' | 'signal' | 'snapshots'>,
): Promise<void> {
  const { assignments, log, metrics, snapshots, signal, now } = process
  const { topics } = configuration
  const group = groupName(configuration, 'scoring')
  const { model } = configuration
  const deliveries = log.consume(topics.features, {
    group,
    from: positionFromOutput({
      log,
      topic: topics.features,
      group,
      output: topics.labels,
      nextOffset: labelledTo(model.name),
      passes: gapPolicy({ ...process, stage: 'scoring', onGap: configuration.log.onGap }),
    }),
    maxRecords: maxRecordsOn(log),
    signal,
    ahead: true,
    onAssignment: assignments.of('scoring'),
  })
  const emissions = scoring({ topics, score, metrics }, snapshots)(timed(deliveries))
  return runStage(emissions, {
    ...process,
    stage: 'scoring',
    group,
    onDurable({ settles }) {
      for (const { records } of settles) observeLatency(records, now(), metrics)
      onDurable?.()
    },
  })
}

/** Records appended together carry one timestamp: each run of equal ones is one observation. */
function observeLatency(
  records: readonly Pick<StoredRecord, 'timestamp'>[],
  now: number,
  { labelLatency }: Pick<Metrics, 'labelLatency'>,
): void {
  for (let from = 0; from < records.length; ) {
    const { timestamp } = records[from]!
    let to = from + 1
    while (to < records.length && records[to]!.timestamp === timestamp) to++
    labelLatency.observe((now - timestamp) / 1000, to - from)
    from = to
  }
}
