import { type EventLog, LogError, type OutgoingRecord } from '@eddy/log'
import type { Health, Metrics } from '@eddy/runtime'
import type { CustomerIds } from '@eddy/settings'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { eventRecord } from './event-record.ts'
import type { FeatureRule } from './feature-rule.ts'
import { Idempotency, type Remember } from './idempotency.ts'
import { Judge } from './judge.ts'
import { type PostedEvent, postedEvents } from './posted-events.ts'
import type { RefusalReason } from './refusal.ts'

export interface EventsApiOptions {
  readonly log: Pick<EventLog, 'capabilities' | 'publish'>
  /** what its events must look like */
  readonly rules: readonly FeatureRule[]
  readonly health: Pick<Health, 'cannotStore' | 'stored'>
  readonly now: () => number
  /** of events */
  readonly topic: string
  /** what customer ids become before they are stored */
  readonly ids?: CustomerIds | undefined
  readonly limits: {
    readonly maxEventBytes: number
    /** events waiting to be ingested beyond which more are answered 429 */
    readonly maxBacklogEvents: number
    readonly maxEventsPerRequest: number
    /** how long an `Idempotency-Key` is remembered */
    readonly idempotencyHours: number
  }
  /** events appended and not yet ingested */
  readonly backlog: () => Promise<number>
  readonly metrics: Pick<Metrics, 'httpEvents'>
}

/** A refused event, as the answer names it. */
interface RefusedEvent {
  /** from 1: its line, or in a list its place */
  readonly line: number
  readonly reason: RefusalReason
  readonly message: string
}

/** Events that are worked on in one turn of the event loop. */
const sliceEvents = 500

/** Most refused events that an answer names. */
const namedRefusals = 20

/**
 * `POST /v1/events`: NDJSON or a JSON list, compressed or not. The answer says how many events were accepted and names those that were
 * refused; beside accepted ones they are stored too, and become dead letters. A body without an event that can be used is
 * answered 400, and nothing of it is stored. Under an `Idempotency-Key` it is done once.
 */
export const eventsApi =
  (options: EventsApiOptions): FastifyPluginAsync =>
  async server => {
    const judge = new Judge(options.rules)
    const idempotency = new Idempotency({
      memory: options.log.capabilities.memory,
      keptMs: options.limits.idempotencyHours * 3_600_000,
      now: options.now,
      disguise: options.ids,
    })
    server.post('/v1/events', async (request, reply) => {
      const body = (request.body as Buffer | null) ?? Buffer.alloc(0)
      const key = request.headers['idempotency-key']
      if (typeof key !== 'string') return postEvents(body, reply, judge, options)
      const { answer, again } = await idempotency.once(key, body, remember =>
        postEvents(body, reply, judge, options, remember),
      )
      if (again) reply.header('idempotency-replayed', 'true')
      return answer
    })
  }

async function postEvents(
  body: Buffer,
  reply: FastifyReply,
  judge: Judge,
  { log, topic, ids, limits, backlog, metrics, health, now }: EventsApiOptions,
  remember?: Remember,
): Promise<object> {
  const count = (outcome: string, events: number): void => metrics.httpEvents.inc({ outcome }, events)
  const events = postedEvents(body, limits.maxEventsPerRequest)
  const tooLarge = events.find(({ value }) => value.length > limits.maxEventBytes)
  if (tooLarge !== undefined) {
    count('too-large', 1)
    return reply.code(413).send({
      error: `event ${tooLarge.line}: expected at most ${limits.maxEventBytes} bytes, got ${tooLarge.value.length}; nothing was accepted`,
    })
  }
  if (events.length === 0) {
    return reply.code(400).send({
      error: 'body: expected NDJSON, one event a line, e.g. {"customer":"c1","features":{"amount":12.5}}; got none',
    })
  }
  const { refused, refusals } = await judged(events, judge, now())
  const accepted = events.length - refused
  if (accepted === 0) {
    count('invalid', refused)
    return reply.code(400).send({
      error: `events: expected at least one that can be used, got ${refused} that cannot (${refusals[0]!.message}); nothing was stored`,
      accepted,
      refused,
      refusals,
    })
  }
  if ((await backlog()) + events.length > limits.maxBacklogEvents) {
    count('throttled', events.length)
    return reply
      .code(429)
      .header('retry-after', '1')
      .send({
        error: `events: expected at most ${limits.maxBacklogEvents} waiting, and that many are; nothing was accepted, retry later`,
      })
  }
  const room = await log.capabilities.room?.()
  if (room !== undefined && (room.full || room.bytes < room.least)) {
    count('refused', events.length)
    const error = `disk: expected room for at least ${megabytes(room.least)}, got ${megabytes(room.bytes)}; nothing was accepted while what is stored is worked on, retry later`
    health.cannotStore(error)
    return reply.code(503).header('retry-after', '30').send({ error })
  }
  const records: OutgoingRecord[] = []
  for (const { value } of events) {
    if (records.length % sliceEvents === sliceEvents - 1) await new Promise(resolve => setImmediate(resolve))
    records.push(eventRecord(value, ids))
  }
  const answer = refused === 0 ? { accepted } : { accepted, refused, refusals }
  try {
    await log.publish([{ topic, records }], remember && { remember: remember(answer) })
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    health.cannotStore(error.message)
    count('refused', events.length)
    return reply.code(503).header('retry-after', '5').send({ error: error.message })
  }
  health.stored()
  count('accepted', accepted)
  if (refused > 0) count('invalid', refused)
  return answer
}

async function judged(
  events: readonly PostedEvent[],
  judge: Judge,
  now: number,
): Promise<{ readonly refused: number; readonly refusals: readonly RefusedEvent[] }> {
  const refusals: RefusedEvent[] = []
  let refused = 0
  for (const [i, { line, value }] of events.entries()) {
    // In between everybody else gets a turn.
    if (i % sliceEvents === sliceEvents - 1) await new Promise(resolve => setImmediate(resolve))
    const refusal = judge.refusalOf(value, now)
    if (refusal === undefined) continue
    if (++refused <= namedRefusals) refusals.push({ line, reason: refusal.reason, message: refusal.message })
  }
  return { refused, refusals }
}

const megabytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MB`
