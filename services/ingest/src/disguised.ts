import type { StoredRecord } from '@eddy/log'
import { featureVectorCodec } from '@eddy/messages'
import { type CustomerIds, isDisguised } from '@eddy/settings'
import { eventRecord, withheld } from './event-record.ts'

/** An event whose customer is what ids become: itself where its producer has seen to that. What names no customer is withheld. */
export function disguised(record: StoredRecord, ids: CustomerIds): StoredRecord {
  const { offset, timestamp, headers } = record
  const once: CustomerIds = customer => (isDisguised(customer) ? customer : ids(customer))
  const value = record.value as Uint8Array
  const { key, value: told } = value?.[0] === 0 ? vector(value, once) : eventRecord(value ?? new Uint8Array(), once)
  return { offset, timestamp, headers, key, value: told }
}

function vector(value: Uint8Array, ids: CustomerIds): Pick<StoredRecord, 'key' | 'value'> {
  try {
    const given = featureVectorCodec.decode(value)
    const customer = ids(given.customer)
    return { key: Buffer.from(customer), value: featureVectorCodec.encode({ ...given, customer }) }
  } catch {
    return { key: null, value: withheld }
  }
}
