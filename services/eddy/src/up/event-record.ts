import type { OutgoingRecord } from '@eddy/log'

/**
 * A JSON event as a record of the events topic: the key is its customer, so that a customer's events stay in order.
 * What is no JSON, or has no customer, is stored all the same (partition 0): ingest quarantines it with the reason.
 */
export function eventRecord(line: Uint8Array): OutgoingRecord {
  const customer = customerIn(line)
  return customer === undefined ? { key: null, value: line, partition: 0 } : { key: Buffer.from(customer), value: line }
}

const usualStart = Buffer.from('{"customer":"')
const quote = 0x22
const backslash = 0x5c

function customerIn(line: Uint8Array): string | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
  return usualCustomer(bytes) ?? parsedCustomer(bytes)
}

/** Without parsing, where the event begins as ours do and the id has no escapes. */
function usualCustomer(bytes: Buffer): string | undefined {
  if (bytes.length < usualStart.length || bytes.compare(usualStart, 0, usualStart.length, 0, usualStart.length) !== 0)
    return undefined
  const end = bytes.indexOf(quote, usualStart.length)
  if (end <= usualStart.length) return undefined
  const firstEscape = bytes.indexOf(backslash, usualStart.length)
  return firstEscape >= 0 && firstEscape < end ? undefined : bytes.toString('utf8', usualStart.length, end)
}

function parsedCustomer(bytes: Buffer): string | undefined {
  try {
    const event = JSON.parse(bytes.toString('utf8')) as { customer?: unknown } | null
    const customer = event?.customer
    return (typeof customer === 'string' && customer !== '') || typeof customer === 'number'
      ? String(customer)
      : undefined
  } catch {
    return undefined
  }
}
