import { describeType } from '@eddy/mixture'
import type { FeatureRule } from './feature-rule.ts'
import { longestCustomerId } from './validate.ts'

const [QUOTE, COMMA, MINUS, POINT, ZERO, COLON, BACKSLASH] = [0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x3a, 0x5c]
const [OPEN, CLOSE] = [0x7b, 0x7d]
/** Whole numbers of so many digits are exact. */
const EXACT_DIGITS = 15
/** Exact too; the quotient of two exact numbers is the double nearest to the decimal (Clinger 1990). */
const powersOfTen = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, n) => 10 ** n)

/**
 * Reads events as most producers write them, straight from their bytes and without an object each:
 *
 *     {"customer": "c1", "time": 1700000000000, "weight": 1, "features": {"a": 1, "b": -2.5, "c": null}}
 *
 * `time` and `weight` may be absent; features stand in the configured order and may be absent. Of anything else, in whatever way it
 * differs, `read` says that it is for JSON.parse to judge. What it does read, JSON.parse reads the same.
 */
export class PlainJsonReader {
  /** UTF-8 of the customer: from here to `customerEnd` */
  customerStart = 0
  customerEnd = 0
  /** milliseconds since 1970-01-01 UTC; NaN where the event carries none */
  time = Number.NaN
  weight = 1
  readonly #rules: readonly FeatureRule[]
  /** UTF-8 of the features' names; absent where one would need escapes or one's value is no number */
  readonly #names: readonly Uint8Array[] | undefined
  #bytes: Uint8Array = new Uint8Array()
  #at = 0
  #end = 0
  #number = 0

  constructor(rules: readonly FeatureRule[]) {
    this.#rules = rules
    const plain = rules.every(
      ({ name, type }) => /^[ !#-[\]-~]+$/.test(name) && describeType(type).written === 'number',
    )
    if (plain) this.#names = rules.map(({ name }) => Buffer.from(name))
  }

  /** Whether this reads events of these rules. */
  isFor(rules: readonly FeatureRule[]): boolean {
    return this.#rules === rules
  }

  /**
   * Reads the event in `bytes` from `start` to `end`.
   * @param values written to: d values, NaN where missing
   * @returns false where the event is for JSON.parse; everything written means nothing then
   */
  read(bytes: Uint8Array, start: number, end: number, values: Float64Array): boolean {
    if (this.#names === undefined) return false
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.customerEnd = this.customerStart = 0
    this.time = Number.NaN
    this.weight = 1
    let weighed = false
    let found = false
    if (!this.#take(OPEN)) return false
    do {
      if (this.#name(CUSTOMER)) {
        if (this.customerEnd !== 0 || !this.#text()) return false
      } else if (this.#name(FEATURES)) {
        if (found || !this.#features(values)) return false
        found = true
      } else if (this.#name(TIME)) {
        if (!Number.isNaN(this.time) || !this.#numeral() || !Number.isSafeInteger(this.#number)) return false
        this.time = this.#number
      } else if (this.#name(WEIGHT)) {
        if (weighed || !this.#numeral()) return false
        this.weight = this.#number
        weighed = true
      } else return false
    } while (this.#take(COMMA))
    if (!this.#take(CLOSE)) return false
    this.#skipSpace()
    return found && this.customerEnd !== 0 && this.#at === end
  }

  #features(values: Float64Array): boolean {
    values.fill(Number.NaN)
    if (!this.#take(OPEN)) return false
    if (this.#take(CLOSE)) return true
    const names = this.#names!
    let next = 0
    do {
      while (next < names.length && !this.#name(names[next]!)) next++
      if (next === names.length) return false
      if (this.#numeral()) values[next] = this.#number
      else if (!this.#null()) return false
      next++
    } while (this.#take(COMMA))
    return this.#take(CLOSE)
  }

  #skipSpace(): void {
    const bytes = this.#bytes
    for (; this.#at < this.#end; this.#at++) {
      const byte = bytes[this.#at]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
    }
  }

  /** Passes over a character, and white space before it, if it comes next. */
  #take(character: number): boolean {
    this.#skipSpace()
    if (this.#at >= this.#end || this.#bytes[this.#at] !== character) return false
    this.#at++
    return true
  }

  /** Passes over a name in quotes and the colon, if they come next. */
  #name(name: Uint8Array): boolean {
    this.#skipSpace()
    const bytes = this.#bytes
    const { length } = name
    const before = this.#at
    const at = before + 1
    if (at + length >= this.#end || bytes[before] !== QUOTE || bytes[at + length] !== QUOTE) return false
    for (let i = length - 1; i >= 0; i--) if (bytes[at + i] !== name[i]) return false
    this.#at = at + length + 1
    if (this.#take(COLON)) return true
    this.#at = before
    return false
  }

  /** The customer: printable ASCII without escapes, of a length that is allowed. */
  #text(): boolean {
    if (!this.#take(QUOTE)) return false
    const bytes = this.#bytes
    let at = this.#at
    for (; at < this.#end && bytes[at] !== QUOTE; at++)
      if (bytes[at]! < 0x20 || bytes[at]! > 0x7e || bytes[at] === BACKSLASH) return false
    const length = at - this.#at
    if (at === this.#end || length === 0 || length > longestCustomerId) return false
    this.customerStart = this.#at
    this.customerEnd = at
    this.#at = at + 1
    return true
  }

  #null(): boolean {
    const at = this.#at
    const bytes = this.#bytes
    if (at + 4 > this.#end || bytes[at] !== 0x6e || bytes[at + 1] !== 0x75 || bytes[at + 2] !== 0x6c) return false
    this.#at = at + 4
    return bytes[at + 3] === 0x6c
  }

  /** A number of at most fifteen digits and without exponent; others are left to JSON.parse. */
  #numeral(): boolean {
    this.#skipSpace()
    const bytes = this.#bytes
    let at = this.#at
    const negative = bytes[at] === MINUS
    if (negative) at++
    const first = at
    let digits = 0
    for (; at < this.#end; at++) {
      const digit = bytes[at]! - ZERO
      if (digit < 0 || digit > 9) break
      digits = digits * 10 + digit
    }
    const whole = at - first
    if (whole === 0 || (whole > 1 && bytes[first] === ZERO)) return false
    let fraction = 0
    if (at < this.#end && bytes[at] === POINT) {
      at++
      const begin = at
      for (; at < this.#end; at++) {
        const digit = bytes[at]! - ZERO
        if (digit < 0 || digit > 9) break
        digits = digits * 10 + digit
      }
      fraction = at - begin
      if (fraction === 0) return false
    }
    if (whole + fraction > EXACT_DIGITS) return false
    const value = fraction === 0 ? digits : digits / powersOfTen[fraction]!
    this.#number = negative ? -value : value
    this.#at = at
    // An exponent, or whatever else follows, is no comma and no end.
    return true
  }
}

const CUSTOMER = Buffer.from('customer')
const FEATURES = Buffer.from('features')
const TIME = Buffer.from('time')
const WEIGHT = Buffer.from('weight')
