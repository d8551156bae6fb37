import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { longestCustomerId } from '@eddy/ingest'
import { asyncValues, type Delivery, type EventLog, type From, LogError, type OutgoingRecord } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { describeSegments } from '@eddy/model'
import { isBlank, linesOf } from '@eddy/records'
import type { Logger, Metrics } from '@eddy/runtime'
import type { Configuration, CustomerIds } from '@eddy/settings'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Observable } from 'rxjs'
import { eventRecord } from './event-record.ts'
import { forget } from './forget.ts'
import { LabelChunks } from './label-chunks.ts'
import { Turns } from './turns.ts'

export interface ApiOptions {
  readonly configuration: Configuration
  /** names of the features */
  readonly features: readonly string[]
  readonly log: EventLog
  readonly logger: Logger
  readonly metrics: Pick<Metrics, 'httpEvents' | 'httpStreams'>
  /** events appended and not yet ingested */
  readonly backlog: () => Promise<number>
  readonly snapshot: () => Snapshot | undefined
  /** what customer ids become before they are stored */
  readonly ids?: CustomerIds | undefined
}

/** HTTP for producers and consumers without Kafka: `POST /v1/events`, `GET /v1/labels`, `GET /v1/segments`. */
export function addApi(server: FastifyInstance, options: ApiOptions): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.setErrorHandler(async (error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const limit = options.configuration.http.maxBodyBytes
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      await discard(request.raw, 8 * limit)
      return reply
        .code(413)
        .send({ error: `body: expected at most ${limit} bytes; send the events in several requests` })
    }
    return reply.code(error.statusCode ?? 500).send({ error: error.message })
  })
  server.post('/v1/events', (request, reply) => postEvents(request.body as Buffer | null, reply, options))
  const chunks = new LabelChunks()
  addLabels(server, options, chunks)
  server.delete<{ Params: { customer: string } }>('/v1/customers/:customer', async ({ params }, reply) => {
    const { customer } = params
    if (customer === '' || customer.length > longestCustomerId)
      return reply.code(400).send({ error: `customer: expected an id of 1 to ${longestCustomerId} characters` })
    const forgotten = await forget(options.ids?.(customer) ?? customer, options)
    chunks.clear()
    return forgotten
  })
  server.get('/v1/segments', (_request, reply) => {
    const snapshot = options.snapshot()
    return snapshot === undefined
      ? reply.code(503).header('retry-after', '1').send({ error: 'segments: none yet, the model is warming up' })
      : { snapshot: Number(snapshot.version), segments: describeSegments(snapshot) }
  })
}

/** Reads on for a while: a client that is still writing would see a broken pipe instead of the answer. */
function discard(body: IncomingMessage, most: number): Promise<void> {
  return new Promise(resolve => {
    let seen = 0
    const timer = setTimeout(resolve, 5000)
    body.on('data', (chunk: Buffer) => {
      seen += chunk.length
      if (seen > most) resolve()
    })
    for (const end of ['end', 'close', 'error'] as const) body.once(end, () => resolve())
    if (body.readableEnded || body.destroyed) resolve()
    body.once('close', () => clearTimeout(timer))
    body.resume()
  })
}

async function postEvents(
  body: Buffer | null,
  reply: FastifyReply,
  { configuration, log, metrics, backlog, ids }: ApiOptions,
): Promise<object> {
  const { topics, http, log: limits } = configuration
  const count = (outcome: string, events: number): void => metrics.httpEvents.inc({ outcome }, events)
  const records: OutgoingRecord[] = []
  for (const line of linesOf(body ?? Buffer.alloc(0))) {
    if (isBlank(line)) continue
    if (line.length > limits.maxEventBytes) {
      count('too-large', 1)
      return reply.code(413).send({
        error: `event ${records.length + 1}: expected at most ${limits.maxEventBytes} bytes, got ${line.length}; nothing was accepted`,
      })
    }
    records.push(eventRecord(line, ids))
  }
  if (records.length === 0) {
    return reply.code(400).send({
      error: 'body: expected NDJSON, one event a line, e.g. {"customer":"c1","features":{"amount":12.5}}; got none',
    })
  }
  if ((await backlog()) + records.length > http.maxBacklogEvents) {
    count('throttled', records.length)
    return reply
      .code(429)
      .header('retry-after', '1')
      .send({
        error: `events: expected at most ${http.maxBacklogEvents} waiting, and that many are; nothing was accepted, retry later`,
      })
  }
  try {
    await log.publish([{ topic: topics.events, records }])
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    count('refused', records.length)
    return reply.code(503).header('retry-after', '5').send({ error: error.message })
  }
  count('accepted', records.length)
  return { accepted: records.length }
}

function addLabels(
  server: FastifyInstance,
  { configuration, log, logger, metrics }: ApiOptions,
  chunks: LabelChunks,
): void {
  const turns = new Turns()
  let streams = 0
  server.get<{ Querystring: { from?: string; follow?: string } }>('/v1/labels', (request, reply) => {
    const begin = startOf(request.query.from ?? 'latest', configuration.log.partitions)
    if (begin === undefined) {
      return reply.code(400).send({ error: `from: expected latest, earliest or an offset, got ${request.query.from}` })
    }
    if (streams >= configuration.http.maxStreams) {
      return reply
        .code(429)
        .header('retry-after', '5')
        .send({ error: `labels: expected at most ${configuration.http.maxStreams} open streams (http.maxStreams)` })
    }
    metrics.httpStreams.set(++streams)
    const stop = new AbortController()
    const untilEnd = request.query.follow === 'false'
    const deliveries = log.consume(configuration.topics.labels, {
      from: begin,
      untilEnd,
      maxRecords: 256,
      signal: stop.signal,
    })
    const stream = Readable.from(labelLines(deliveries, begin !== 'latest', chunks, turns), { highWaterMark: 1 })
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
    let next = values.next()
    for (;;) {
      const found = await orQuiet(next)
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
      next = values.next()
    }
  } finally {
    await values.return(undefined)
  }
}

/** The value, or undefined where it takes longer than a heartbeat. */
function orQuiet<T>(value: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const quiet = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), heartbeatMs)
  })
  return Promise.race([value, quiet]).finally(() => clearTimeout(timer))
}

function startOf(text: string, partitions: number): From | undefined {
  if (text === 'latest' || text === 'earliest') return text
  const offset = Number(text)
  if (!Number.isSafeInteger(offset) || offset < 0) return undefined
  return new Map(Array.from({ length: partitions }, (_, partition) => [partition, offset]))
}
