import { customerId } from '@eddy/messages'
import { Refusal } from './refusal.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * An event in JSON; a customer that is a number becomes its digits.
 * @throws {Refusal} for what is no JSON
 */
export function decodeJson(value: Uint8Array): unknown {
  try {
    const text = decoder.decode(value)
    const event = JSON.parse(text) as { readonly customer?: unknown } | null
    if (typeof event?.customer !== 'number') return event
    return { ...event, customer: customerId(event.customer, () => text) ?? event.customer }
  } catch (error) {
    throw new Refusal(
      'undecodable',
      `event: expected JSON (or Avro with the Confluent header), got ${(error as Error).message}`,
    )
  }
}
