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

/** An event that must not be learned. The message names what was expected and what was found. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string) {
    super(message)
    this.reason = reason
  }
}
