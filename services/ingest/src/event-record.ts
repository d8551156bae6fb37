import type { OutgoingRecord } from '@eddy/log'
import { customerId } from '@eddy/messages'
import type { CustomerIds } from '@eddy/settings'

const encoder = new TextEncoder()
const json = { 'content-type': encoder.encode('application/json') }

/**
 * A JSON event as a record of the events topic: the key is its customer, so that a customer's events stay in order.
 * What is no JSON, or has no customer, is stored all the same (partition 0): ingest quarantines it with the reason. With `ids` something
 * else stands for it, because the id may be anywhere in it.
 * @param ids what customer ids become before they are stored; as they are if absent
 */
export function eventRecord(line: Uint8Array, ids?: CustomerIds): OutgoingRecord {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8')
  const event = parsed(text)
  const customer = customerId(event?.customer, () => text)
  if (customer === undefined || customer === '')
    return { key: null, value: ids === undefined ? line : withheld, headers: json, partition: 0 }
  if (ids === undefined) return { key: encoder.encode(customer), value: line, headers: json }
  const id = ids(customer)
  return { key: encoder.encode(id), value: encoder.encode(withCustomer(event as object, id)), headers: json }
}

/** Stands for what may hold an id anywhere: who disguises ids does not want it stored as it came. */
export const withheld = encoder.encode(
  JSON.stringify({ customer: null, features: 'withheld: no customer could be read, and customers.hmacKeyFile is set' }),
)

/** An event that is nested too deeply to be written again must not be stored with the id it came with: ingest refuses what stands for it. */
function withCustomer(event: object, customer: string): string {
  try {
    return JSON.stringify({ ...event, customer })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return JSON.stringify({ customer, features: 'nested too deeply' })
  }
}

function parsed(text: string): { readonly customer?: unknown } | null | undefined {
  try {
    return JSON.parse(text) as object | null
  } catch {
    return undefined
  }
}
