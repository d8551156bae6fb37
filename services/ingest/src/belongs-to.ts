import type { StoredRecord } from '@eddy/log'
import { customerId, featureVectorCodec, writeLong } from '@eddy/messages'

/** Members of an event that never hold a customer's id, besides its features. */
const ownNames = ['time', 'weight', 'features']

/** Where more ids are looked for, reading each value is quicker than looking for each id in it. */
const fewIds = 4

/**
 * Whether a record of events, features, labels or dead letters is one of the customers': by its key, else by the customer its value names.
 * Only where no customer can be read from the value do its texts decide, and then each as a whole: a part of another id, a name, or the
 * value of a feature never does.
 * @param customers the ids as they are stored
 * @param features names of the features, whose values are nobody's id
 */
export function belongsTo(
  customers: readonly string[],
  features: readonly string[],
): (record: StoredRecord) => boolean {
  const ids = customers.map(customer => ({ customer, bytes: Buffer.from(customer) }))
  const names = new Set(customers)
  const hasTheirKey = keyIsOf(customers)
  const notIds = new Set([...ownNames, ...features])
  return record => {
    if (hasTheirKey(record)) return true
    const { value } = record
    if (value === null || value.length === 0) return false
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    // Written with escapes, an id need not be among the bytes.
    const mayHold = ({ bytes: id }: { readonly bytes: Buffer }): boolean => bytes.includes(id) || bytes.includes('\\')
    if (ids.length <= fewIds && !ids.some(mayHold)) return false
    if (bytes[0] === 0) {
      const named = customerOfVector(bytes)
      return named === undefined ? ids.some(({ bytes: id }) => bytes.includes(prefixed(id))) : names.has(named)
    }
    const text = bytes.toString()
    const named = customerOfJson(text)
    if (named !== undefined) return names.has(named)
    return ids.some(id => mayHold(id) && isNamed(text, id.customer, notIds))
  }
}

/** Whether a record's key is one of the customers. */
export function keyIsOf(customers: readonly string[]): (record: StoredRecord) => boolean {
  const keys = new Set(customers.map(customer => Buffer.from(customer).toString('latin1')))
  return ({ key }) =>
    key !== null && keys.has(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1'))
}

/** Bytes as Avro writes a text of them. */
function prefixed(text: Buffer): Buffer {
  const length = new Uint8Array(10)
  return Buffer.concat([length.subarray(0, writeLong(length, 0, text.length)), text])
}

function customerOfVector(bytes: Uint8Array): string | undefined {
  try {
    return featureVectorCodec.decode(bytes).customer
  } catch {
    return undefined
  }
}

function customerOfJson(text: string): string | undefined {
  try {
    const { customer } = (JSON.parse(text) ?? {}) as { readonly customer?: unknown }
    return customerId(customer, () => text) || undefined
  } catch {
    return undefined
  }
}

/** A quoted text and whether it is a name, or a word outside of quotes. */
const token = /"((?:[^"\\]|\\.)*)"(\s*:)?|[^\s"'`,;|{}[\]()<>=:]+/gs

/** Whether one of the texts is the customer: where some are called so, one of those; else any that is no feature's value. */
function isNamed(text: string, customer: string, notIds: ReadonlySet<string>): boolean {
  let found = text.trim() === customer || text.split(/[,;\t]/).some(field => field.trim() === customer)
  let name: string | undefined
  let called = false
  for (const [word, quoted, colon] of text.matchAll(token)) {
    const said = quoted === undefined ? word : unescaped(quoted)
    if (colon !== undefined) {
      name = said
      continue
    }
    if (name === 'customer' && isId(word)) {
      if (said === customer) return true
      called = true
    }
    found ||= said === customer && isId(word) && !(name !== undefined && notIds.has(name))
    name = undefined
  }
  return found && !called
}

/** JSON's words are nobody's id. */
const isId = (word: string): boolean => word !== 'true' && word !== 'false' && word !== 'null'

function unescaped(quoted: string): string {
  try {
    return JSON.parse(`"${quoted}"`) as string
  } catch {
    return quoted
  }
}
