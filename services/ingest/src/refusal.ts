/** Why an event is quarantined. Bounded, because it is a metric label. */
export type RefusalReason =
  | 'undecodable'
  | 'too-large'
  | 'missing-customer'
  | 'bad-time'
  | 'bad-weight'
  | 'no-features'
  | 'missing-feature'
  | 'wrong-type'
  | 'not-finite'
  | 'out-of-bounds'
  | 'unknown-category'
  | 'unfit'

/** An event that must not be learned. The message names what was expected and what was found. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** A value as an error shows it, without looking into objects: a hostile one may be nested deeper than a recursion can go. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
