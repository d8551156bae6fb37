import { decodeJson } from './decode-json.ts'
import { timeOf } from './event-time.ts'
import type { FeatureRule } from './feature-rule.ts'
import { PlainJsonReader } from './plain-json-reader.ts'
import { Refusal } from './refusal.ts'
import { isAcceptable, toFeatureVector } from './validate.ts'

/** Tells whether ingest will take events in JSON. */
export class Judge {
  readonly #rules: readonly FeatureRule[]
  readonly #plain: PlainJsonReader
  readonly #row: Float64Array

  constructor(rules: readonly FeatureRule[]) {
    this.#rules = rules
    this.#plain = new PlainJsonReader(rules)
    this.#row = new Float64Array(rules.length)
  }

  /**
   * Why ingest will refuse an event; undefined where it will not.
   * @param now when it is appended, milliseconds since 1970-01-01 UTC
   */
  refusalOf(value: Uint8Array, now: number): Refusal | undefined {
    try {
      const plain = this.#plain
      if (plain.read(value, 0, value.length, this.#row) && isAcceptable(this.#row, plain.weight, this.#rules))
        timeOf(Number.isNaN(plain.time) ? undefined : plain.time, now)
      else toFeatureVector(decodeJson(value), this.#rules, now)
      return undefined
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }
}
