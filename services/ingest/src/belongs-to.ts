import type { StoredRecord } from '@eddy/log'
import { customerId, featureVectorCodec, writeLong } from '@eddy/messages'

/** Members of an event that never hold a customer's id, besides its features. */
const ownNames = ['time', 'weight', 'features']

/**
 * Whether a record of events, features, labels or dead letters is the customer's: by its key, else by the customer its value names.
 * Only where no customer can be read from the value do its texts decide, and then each as a whole: a part of another id, a name, or the
 * value of a feature never does.
 * @param customer the id as it is stored
 * @param features names of the features, whose values are nobody's id
 */
export function belongsTo(customer: string, features: readonly string[]): (record: StoredRecord) => boolean {
  const id = Buffer.from(customer)
  const lengthAndId = prefixed(id)
  const notIds = new Set([...ownNames, ...features])
  return ({ key, value }) => {
    if (key !== null && id.equals(key)) return true
    if (value === null || value.length === 0) return false
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    // Written with escapes, an id need not be among the bytes.
    if (!bytes.includes(id) && !bytes.includes('\\')) return false
    if (bytes[0] === 0) {
      const named = customerOfVector(bytes)
      return named === undefined ? bytes.includes(lengthAndId) : named === customer
    }
    const text = bytes.toString()
    const named = customerOfJson(text)
    return named === undefined ? isNamed(text, customer, notIds) : named === customer
  }
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
