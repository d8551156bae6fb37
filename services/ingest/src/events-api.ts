import type { IncomingMessage } from 'node:http'
import { type EventLog, LogError, type OutgoingRecord } from '@eddy/log'
import { isBlank, linesOf } from '@eddy/records'
import type { Metrics } from '@eddy/runtime'
import type { CustomerIds } from '@eddy/settings'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { eventRecord } from './event-record.ts'

export interface EventsApiOptions {
  readonly log: Pick<EventLog, 'publish'>
  /** of events */
  readonly topic: string
  /** what customer ids become before they are stored */
  readonly ids?: CustomerIds | undefined
  readonly limits: {
    readonly maxBodyBytes: number
    readonly maxEventBytes: number
    /** events waiting to be ingested beyond which more are answered 429 */
    readonly maxBacklogEvents: number
  }
  /** events appended and not yet ingested */
  readonly backlog: () => Promise<number>
  readonly metrics: Pick<Metrics, 'httpEvents'>
}

/** `POST /v1/events`: NDJSON, all of it accepted or nothing. */
export const eventsApi =
  (options: EventsApiOptions): FastifyPluginAsync =>
  async server => {
    const { maxBodyBytes } = options.limits
    server.setErrorHandler(async (error: Error & { statusCode?: number; code?: string }, request, reply) => {
      if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE')
        return reply.code(error.statusCode ?? 500).send({ error: error.message })
      await discard(request.raw, 8 * maxBodyBytes)
      return reply
        .code(413)
        .send({ error: `body: expected at most ${maxBodyBytes} bytes; send the events in several requests` })
    })
    server.post('/v1/events', (request, reply) => postEvents(request.body as Buffer | null, reply, options))
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
  { log, topic, ids, limits, backlog, metrics }: EventsApiOptions,
): Promise<object> {
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
  if ((await backlog()) + records.length > limits.maxBacklogEvents) {
    count('throttled', records.length)
    return reply
      .code(429)
      .header('retry-after', '1')
      .send({
        error: `events: expected at most ${limits.maxBacklogEvents} waiting, and that many are; nothing was accepted, retry later`,
      })
  }
  try {
    await log.publish([{ topic, records }])
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    count('refused', records.length)
    return reply.code(503).header('retry-after', '5').send({ error: error.message })
  }
  count('accepted', records.length)
  return { accepted: records.length }
}
