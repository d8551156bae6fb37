import { randomUUID } from 'node:crypto'
import { positionFromOutput } from '@eddy/log'
import {
  committedPosition,
  gapPolicy,
  lagOf,
  maxRecordsOn,
  type Process,
  runStage,
  type Service,
  timed,
  totalLag,
} from '@eddy/runtime'
import { type Configuration, customerIds, type Feature, formerIngestGroup, groupName } from '@eddy/settings'
import { customersApi } from './customers-api.ts'
import { Erasures } from './erasures.ts'
import { eventsApi } from './events-api.ts'
import { ingest } from './ingest.ts'
import { ingestedTo } from './ingested-to.ts'
import { type InputTotals, Tally } from './tally.ts'

export interface IngestServiceOptions {
  readonly configuration: Configuration
  readonly features: readonly Feature[]
  /** told whenever something has become durable */
  readonly onDurable?: (() => void) | undefined
  /** told what the input was like, when the service has ended */
  readonly onInput?: ((totals: InputTotals) => void) | undefined
  /** told when a customer's records have been erased: what was read of them before is to be dropped */
  readonly onErased?: (() => void) | undefined
}

/** Events → feature vectors and dead letters; erasures. HTTP: `POST /v1/events`, `DELETE /v1/customers/{id}`, `/v1/erasures`. */
export function ingestService(options: IngestServiceOptions): Service {
  const { configuration, features, onErased } = options
  const { topics, http, log: limits } = configuration
  const ids = customerIds(configuration)
  const group = groupName(configuration, 'ingest')
  let known: Erasures | undefined
  const erasuresOf = ({ log, logger, now }: Pick<Process, 'log' | 'logger' | 'now'>): Erasures => {
    const names = features.map(({ name }) => name)
    known ??= new Erasures({ log, configuration, features: names, logger, now, newId: randomUUID, onErased })
    return known
  }
  return {
    stages: ['ingest'],
    needsModel: false,
    routes(server, { health, log, logger, metrics, now }) {
      const backlog = async (): Promise<number> =>
        totalLag(await lagOf(log, topics.events, await committedPosition(log, topics.events, group)))
      server.register(
        eventsApi({
          log,
          topic: topics.events,
          rules: features,
          ids,
          limits: { ...limits, ...http },
          backlog,
          health,
          metrics,
          now,
        }),
      )
      const erasures = erasuresOf({ log, logger, now })
      server.register(customersApi({ log, erasures, ids }))
    },
    async run(process) {
      const erasures = erasuresOf(process)
      await erasures.resume()
      process.signal.addEventListener('abort', () => erasures.stop(), { once: true })
      await runIngest(options, process)
    },
  }
}

async function runIngest(
  { configuration, features, onDurable, onInput }: IngestServiceOptions,
  process: Pick<Process, 'assignments' | 'health' | 'log' | 'logger' | 'metrics' | 'now' | 'signal'>,
): Promise<void> {
  const { assignments, log, metrics, signal } = process
  const { topics, log: limits } = configuration
  const group = groupName(configuration, 'ingest')
  const deliveries = log.consume(topics.events, {
    group,
    from: positionFromOutput({
      log,
      topic: topics.events,
      group,
      formerGroup: formerIngestGroup(configuration),
      output: topics.features,
      nextOffset: ingestedTo,
      passes: gapPolicy({ ...process, stage: 'ingest', onGap: limits.onGap }),
    }),
    maxRecords: maxRecordsOn(log),
    signal,
    onAssignment: assignments.of('ingest'),
  })
  const tally = new Tally(features, metrics)
  const ids = customerIds(configuration)
  // Brokers take no larger ones.
  const maxRecordBytes = limits.kind === 'kafka' ? limits.maxRecordBytes : Infinity
  const stage = ingest({ rules: features, topics, maxEventBytes: limits.maxEventBytes, maxRecordBytes, ids, tally })
  await runStage(stage(timed(deliveries)), { ...process, stage: 'ingest', group, onDurable })
  onInput?.(tally.totals)
}
