import type { EventLog } from '@eddy/log'
import type { CustomerIds } from '@eddy/settings'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { checkIds, type Erasures } from './erasures.ts'

export interface CustomersApiOptions {
  readonly log: Pick<EventLog, 'capabilities'>
  readonly erasures: Erasures
  /** what customer ids become before they are stored */
  readonly ids?: CustomerIds | undefined
}

/**
 * `DELETE /v1/customers/{id}` and `POST /v1/erasures` (`{"customers": [id, …]}`): ask for customers to be erased; answered 202 with the
 * erasure, which `GET /v1/erasures/{id}` tells the state of. 501 on a log that cannot, with what to do instead.
 */
export const customersApi =
  ({ log, erasures, ids }: CustomersApiOptions): FastifyPluginAsync =>
  async server => {
    if (log.capabilities.erasure === undefined) {
      const refuse = async (_: unknown, reply: FastifyReply) =>
        reply.code(501).type('application/problem+json').send(notHere)
      server.delete('/v1/customers/:customer', refuse)
      server.post('/v1/erasures', refuse)
      server.get('/v1/erasures', refuse)
      server.get('/v1/erasures/:id', refuse)
      return
    }
    const erase = async (customers: readonly string[], by: string, reply: FastifyReply) => {
      try {
        // As they came: a stored form is never too long.
        checkIds(customers)
      } catch (error) {
        return reply.code(400).send({ error: (error as Error).message })
      }
      const erasure = await erasures.ask(
        customers.map(customer => ids?.(customer) ?? customer),
        by,
      )
      return reply.code(202).header('location', `/v1/erasures/${erasure.id}`).send(erasure)
    }
    server.delete<{ Params: { customer: string } }>('/v1/customers/:customer', ({ params, client }, reply) =>
      erase([params.customer], client.name, reply),
    )
    server.post('/v1/erasures', async ({ body, client }, reply) => {
      const customers = customersOf(body as Buffer | null)
      if (customers === undefined)
        return reply.code(400).send({ error: 'body: expected {"customers": ["c1", …]}, a list of ids' })
      return erase(customers, client.name, reply)
    })
    server.get('/v1/erasures', async () => ({ erasures: await erasures.list() }))
    server.get<{ Params: { id: string } }>('/v1/erasures/:id', async ({ params }, reply) => {
      const erasure = await erasures.find(params.id)
      if (erasure !== undefined) return erasure
      return reply.code(404).send({ error: `erasure: expected one of the last hundred, got ${params.id}` })
    })
  }

const notHere = {
  type: 'about:blank',
  title: 'Not Implemented',
  status: 501,
  detail:
    'customers: expected the embedded log, got Kafka, which removes records by retention only. Wait for log.retentionHours, or store ids as HMACs (customers.hmacKeyFile) and destroy the key: see docs/erasure.md.',
}

function customersOf(body: Buffer | null): string[] | undefined {
  try {
    const { customers } = (JSON.parse(String(body)) ?? {}) as { readonly customers?: unknown }
    return Array.isArray(customers) && customers.every(id => typeof id === 'string') ? customers : undefined
  } catch {
    return undefined
  }
}
