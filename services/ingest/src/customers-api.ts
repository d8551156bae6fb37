import type { CustomerIds } from '@eddy/settings'
import type { FastifyPluginAsync } from 'fastify'
import { type ForgetOptions, forget } from './forget.ts'
import { longestCustomerId } from './validate.ts'

export interface CustomersApiOptions extends Omit<ForgetOptions, 'by'> {
  /** what customer ids become before they are stored */
  readonly ids?: CustomerIds | undefined
  /** told when a customer's records have been erased */
  readonly onErased?: (() => void) | undefined
}

/** `DELETE /v1/customers/{id}`: erases a customer; 501 on a log that cannot, with what to do instead. */
export const customersApi =
  (options: CustomersApiOptions): FastifyPluginAsync =>
  async server => {
    server.delete<{ Params: { customer: string } }>('/v1/customers/:customer', async ({ params, client }, reply) => {
      const { customer } = params
      if (customer === '' || customer.length > longestCustomerId)
        return reply.code(400).send({ error: `customer: expected an id of 1 to ${longestCustomerId} characters` })
      if (options.log.capabilities.erasure === undefined)
        return reply.code(501).type('application/problem+json').send({
          type: 'about:blank',
          title: 'Not Implemented',
          status: 501,
          detail:
            'customers: expected the embedded log, got Kafka, which removes records by retention only. Wait for log.retentionHours, or store ids as HMACs (customers.hmacKeyFile) and destroy the key: see docs/erasure.md.',
        })
      const forgotten = await forget(options.ids?.(customer) ?? customer, { ...options, by: client.name })
      options.onErased?.()
      return forgotten
    })
  }
