import { Readable } from 'node:stream'
import { asyncValues, type Delivery, type EventLog, LogError, sameLog } from '@eddy/log'
import { type Logger, looksAt, type Metrics } from '@eddy/runtime'
import type { FastifyPluginAsync } from 'fastify'
import type { Observable } from 'rxjs'
import type { LabelChunks } from './label-chunks.ts'
import { labelStart } from './label-start.ts'
import { Turns } from './turns.ts'

export interface LabelsApiOptions {
  readonly log: Pick<EventLog, 'capabilities' | 'consume' | 'offsets'>
  /** of labels */
  readonly topic: string
  /** open at once beyond which more are answered 429 */
  readonly maxStreams: number
  /** encoded labels that its readers share */
  readonly chunks: LabelChunks
  readonly logger: Pick<Logger, 'warn'>
  readonly metrics: Pick<Metrics, 'httpStreams'>
}

interface Query {
  /** see `labelStart` */
  readonly from?: string
  readonly follow?: string
  /** id of the log whose offsets `from` has */
  readonly log?: string
}

/**
 * `GET /v1/labels`: labels as NDJSON, from an offset or from now on. An offset that retention has left behind is answered 410, one that there
 * never was 416, both with those there are. The header `eddy-log` names the log whose offsets they are; with `log=` a reader asks for that one
 * alone (412).
 */
export const labelsApi =
  ({ log, topic, maxStreams, chunks, logger, metrics }: LabelsApiOptions): FastifyPluginAsync =>
  async server => {
    const turns = new Turns()
    let streams = 0
    const { identity } = log.capabilities
    server.get<{ Querystring: Query }>('/v1/labels', async (request, reply) => {
      const { from = 'latest', follow, log: wanted } = request.query
      const other = wanted === undefined ? undefined : await refusal(sameLog(log, wanted))
      if (other !== undefined)
        return reply.code(other.code === 'NO_IDENTITY' ? 501 : 412).send({ error: other.message })
      if (identity !== undefined) reply.header('eddy-log', await identity())
      const begin = labelStart(from, await log.offsets(topic))
      if ('error' in begin) {
        const { status, ...answer } = begin
        return reply.code(status).send(answer)
      }
      if (streams >= maxStreams) {
        return reply
          .code(429)
          .header('retry-after', '5')
          .send({ error: `labels: expected at most ${maxStreams} open streams (http.maxStreams)` })
      }
      metrics.httpStreams.set(++streams)
      const stop = new AbortController()
      const untilEnd = follow === 'false'
      const deliveries = log.consume(topic, {
        from: begin.from,
        untilEnd,
        maxRecords: 256,
        signal: stop.signal,
      })
      const stream = Readable.from(labelLines(deliveries, from !== 'latest', chunks, turns), { highWaterMark: 1 })
      // The server ends a connection on which nothing has moved for its time.
      const { socket } = request.raw
      const stalled = (): void =>
        logger.warn(
          'labels: expected the reader to take what it is sent, got nothing taken for half a minute; its stream was ended. It can go on from the last offset it read.',
        )
      socket.once('timeout', stalled)
      // A stream that waits for its next label ends with the log's stream.
      reply.raw.once('close', () => stop.abort())
      stream.once('close', () => {
        socket.off('timeout', stalled)
        metrics.httpStreams.set(--streams)
      })
      // The answer begins at once, not with the first label.
      setImmediate(() => reply.raw.headersSent || reply.raw.flushHeaders())
      return reply.type('application/x-ndjson').send(stream)
    })
  }

/** A quiet stream says so this often, with an empty line: it stays open, while a reader that has gone or stalled is noticed. */
const heartbeatMs = 10_000

/** Labels whose encoding takes no time worth sharing out. */
const fewRecords = 16

/** One chunk of NDJSON a delivery; the next delivery is asked for when the reader has taken it. */
async function* labelLines(
  deliveries: Observable<Delivery>,
  catchesUp: boolean,
  chunks: LabelChunks,
  turns: Turns,
): AsyncGenerator<Buffer | string> {
  // A crowd that comes at once does not read at once.
  if (catchesUp) await turns.run(() => {})
  const values = asyncValues(deliveries)
  try {
    let look = looksAt(values.next())
    for (;;) {
      const found = await look(heartbeatMs)
      if (found === undefined) {
        yield '\n'
        continue
      }
      if (found.done === true) return
      const delivery = found.value
      const { records } = delivery
      // A reader at the end of the log is not made to wait for the crowd that catches up.
      if (records.length > 0)
        yield records.length <= fewRecords ? chunks.of(delivery) : await turns.run(() => chunks.of(delivery))
      delivery.ack()
      look = looksAt(values.next())
    }
  } finally {
    await values.return(undefined)
  }
}

/** What a check refuses. */
const refusal = (check: Promise<void>): Promise<LogError | undefined> =>
  check.then(
    () => undefined,
    error => {
      if (error instanceof LogError) return error
      throw error
    },
  )
