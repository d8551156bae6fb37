import type { OutgoingRecord } from '@eddy/log'

const encoder = new TextEncoder()
const json = { 'content-type': encoder.encode('application/json') }

/**
 * A JSON event as a record of the events topic: the key is its customer, so that a customer's events stay in order.
 * What is no JSON, or has no customer, is stored all the same (partition 0): ingest quarantines it with the reason.
 */
export function eventRecord(line: Uint8Array): OutgoingRecord {
  const customer = customerIn(line)
  return customer === undefined
    ? { key: null, value: line, headers: json, partition: 0 }
    : { key: encoder.encode(customer), value: line, headers: json }
}

function customerIn(line: Uint8Array): string | undefined {
  try {
    const event = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8')) as {
      customer?: unknown
    } | null
    const customer = event?.customer
    return (typeof customer === 'string' && customer !== '') || typeof customer === 'number'
      ? String(customer)
      : undefined
  } catch {
    return undefined
  }
}
