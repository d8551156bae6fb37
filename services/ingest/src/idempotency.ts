import { createHash } from 'node:crypto'
import type { Capabilities, PublishOptions } from '@eddy/log'
import { BodyError } from '@eddy/runtime'

export interface IdempotencyOptions {
  readonly memory: Capabilities['memory']
  /** how long a key is remembered, milliseconds */
  readonly keptMs: number
  readonly now: () => number
  /** of what must not be tested by who does not have the key of customer ids */
  readonly disguise?: ((text: string) => string) | undefined
}

/** What to remember of a publication, once its answer is known. */
export type Remember = (answer: object) => NonNullable<PublishOptions['remember']>

const visible = /^[\x21-\x7e]{1,255}$/

/**
 * Requests under an `Idempotency-Key` are done once (draft-ietf-httpapi-idempotency-key-header): the answer is kept with what was
 * published, in one atomic step, and given again to whoever sends the same again, also after a restart. Requests under one key wait for each
 * other.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(options: IdempotencyOptions) {
    this.#options = options
  }

  /**
   * @param key value of the header
   * @param body what is to be done: under one key always the same
   * @param work publishes with what `remember` says of its answer; an answer that it does not remember is not given again
   * @returns the answer, and whether it is an earlier one
   * @throws {BodyError} for a key that cannot be used, or was used for something else
   */
  async once<T extends object>(
    key: string,
    body: Uint8Array,
    work: (remember: Remember) => Promise<T>,
  ): Promise<{ readonly answer: T; readonly again: boolean }> {
    const { memory, keptMs, now, disguise = text => text } = this.#options
    if (memory === undefined)
      throw new BodyError(501, 'Idempotency-Key: expected the embedded log, got one that cannot remember keys')
    if (!visible.test(key))
      throw new BodyError(400, 'Idempotency-Key: expected 1 to 255 visible ASCII characters, e.g. a UUID')
    const name = sha256(key)
    const fingerprint = disguise(sha256(body))
    while (this.#underWay.has(name)) await this.#underWay.get(name)
    const done = Promise.withResolvers<void>()
    this.#underWay.set(name, done.promise)
    try {
      const before = await memory.find(name)
      if (before === undefined) {
        const remember: Remember = answer => {
          return { key: name, fingerprint, answer: JSON.stringify(answer), until: now() + keptMs }
        }
        return { answer: await work(remember), again: false }
      }
      if (before.fingerprint !== fingerprint)
        throw new BodyError(
          422,
          'Idempotency-Key: expected a new key for another body, got one that was used before; nothing was stored',
        )
      return { answer: JSON.parse(before.answer) as T, again: true }
    } finally {
      this.#underWay.delete(name)
      done.resolve()
    }
  }
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('base64url')
