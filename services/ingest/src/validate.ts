import { type FeatureSchema, type FeatureVector, isOfSchema, largestMagnitude } from '@eddy/messages'
import { describeType } from '@eddy/mixture'
import { timeOf } from './event-time.ts'
import type { FeatureRule } from './feature-rule.ts'
import { describe, Refusal } from './refusal.ts'

/** An event as producers write it; `features` may also stand flat beside `customer`. */
export type RawEvent = Readonly<Record<string, unknown>>

export const longestCustomerId = 1024

/**
 * Turns a raw event into a feature vector in the order of `rules`. A null or absent feature becomes NaN (missing).
 * @param appendedAt used where the event carries no time, milliseconds since 1970-01-01 UTC
 * @throws {Refusal} naming the field, what was expected, and what was found
 */
export function toFeatureVector(event: unknown, rules: readonly FeatureRule[], appendedAt: number): FeatureVector {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new Refusal('wrong-type', `event: expected a JSON object, got ${describe(event)}`)
  }
  const raw = event as RawEvent
  const features = featuresOf(raw)
  // In a flat event a name that is a feature's is nothing else.
  const own = (name: 'time' | 'weight'): unknown =>
    features === raw && rules.some(rule => rule.name === name) ? undefined : raw[name]
  const values = new Float64Array(rules.length)
  let present = 0
  for (let i = 0; i < rules.length; i++) {
    const value = featureValue(features[rules[i]!.name], rules[i]!)
    values[i] = value
    if (!Number.isNaN(value)) present++
  }
  if (present === 0) {
    throw new Refusal(
      'no-features',
      `features: expected at least one of ${rules.map(r => r.name).join(', ')}, got none`,
    )
  }
  return {
    customer: customerOf(raw.customer),
    time: timeOf(own('time'), appendedAt),
    weight: weightOf(own('weight')),
    features: values,
  }
}

/**
 * Checks a vector that came ready-made (Avro): same rules, NaN is a missing value.
 * @param schema of the rules: a vector that names another one is refused
 */
export function checkFeatureVector(
  vector: FeatureVector,
  rules: readonly FeatureRule[],
  schema: FeatureSchema,
): FeatureVector {
  if (!isOfSchema(vector.schema ?? 0, schema))
    throw new Refusal(
      'unfit',
      `schema: expected that of ${rules.map(r => r.name).join(', ')} in this order, or zeros, got one of other features`,
    )
  customerOf(vector.customer)
  checkValues(vector.features, vector.weight, rules)
  return vector
}

/** Checks all but the customer. */
export function checkValues(features: Float64Array, weight: number, rules: readonly FeatureRule[]): void {
  if (features.length !== rules.length) {
    throw new Refusal(
      'wrong-type',
      `features: expected ${rules.length} values (${rules.map(r => r.name).join(', ')}), got ${features.length}`,
    )
  }
  weightOf(weight)
  let present = 0
  for (let i = 0; i < rules.length; i++) {
    const value = features[i]!
    if (Number.isNaN(value)) missing(rules[i]!)
    else {
      const { type, values, name } = rules[i]!
      if (type === 'boolean' && value !== 0 && value !== 1)
        throw new Refusal('wrong-type', `${name}: expected 0 or 1, got ${value}`)
      if (type === 'category' && !(Number.isInteger(value) && value >= 0 && value < (values?.length ?? 0))) {
        throw new Refusal(
          'unknown-category',
          `${name}: expected a code from 0 to ${(values?.length ?? 0) - 1}, got ${value}`,
        )
      }
      numberValue(value, rules[i]!)
      present++
    }
  }
  if (present === 0) throw new Refusal('no-features', 'features: expected at least one value, got none')
}

/** Whether `checkValues` would pass. */
export function isAcceptable(features: Float64Array, weight: number, rules: readonly FeatureRule[]): boolean {
  try {
    checkValues(features, weight, rules)
    return true
  } catch {
    return false
  }
}

function featuresOf(event: RawEvent): RawEvent {
  const { features } = event
  if (features === undefined) return event
  if (typeof features === 'object' && features !== null && !Array.isArray(features)) return features as RawEvent
  throw new Refusal('wrong-type', `features: expected an object of name to value, got ${describe(features)}`)
}

function featureValue(value: unknown, rule: FeatureRule): number {
  if (value === undefined || value === null) return missing(rule)
  switch (describeType(rule.type).written) {
    case 'truth':
      if (typeof value === 'boolean') return value ? 1 : 0
      if (value === 0 || value === 1) return value
      throw new Refusal('wrong-type', `${rule.name}: expected true or false, got ${describe(value)}`)
    case 'name': {
      const code = typeof value === 'object' ? -1 : (rule.values?.indexOf(String(value)) ?? -1)
      if (code < 0) {
        throw new Refusal(
          'unknown-category',
          `${rule.name}: expected one of ${rule.values?.join(', ')}, got ${describe(value)}`,
        )
      }
      return code
    }
    case 'number':
      if (typeof value !== 'number')
        throw new Refusal('wrong-type', `${rule.name}: expected a number, got ${describe(value)}`)
      return numberValue(value, rule)
  }
}

function numberValue(value: number, rule: FeatureRule): number {
  if (!Number.isFinite(value)) throw new Refusal('not-finite', `${rule.name}: expected a finite number, got ${value}`)
  const min = rule.min ?? -largestMagnitude
  const max = rule.max ?? largestMagnitude
  if (value < min || value > max)
    throw new Refusal('out-of-bounds', `${rule.name}: expected ${min} to ${max}, got ${value}`)
  const { accepts, expected } = describeType(rule.type)
  if (!accepts(value)) throw new Refusal('wrong-type', `${rule.name}: expected ${expected}, got ${value}`)
  return value
}

function missing(rule: FeatureRule): number {
  const { given, expected } = describeType(rule.type)
  if (given) throw new Refusal('missing-feature', `${rule.name}: expected ${expected}, got none`)
  if (rule.required === true)
    throw new Refusal('missing-feature', `${rule.name}: expected a value (it is required), got none`)
  return Number.NaN
}

export function customerOf(customer: unknown): string {
  if (typeof customer === 'number' && Number.isSafeInteger(customer)) return String(customer)
  if (typeof customer !== 'string' || customer === '' || customer.length > longestCustomerId) {
    throw new Refusal(
      'missing-customer',
      `customer: expected a text of 1 to ${longestCustomerId} characters, got ${describe(customer)}`,
    )
  }
  if (!customer.isWellFormed())
    throw new Refusal(
      'missing-customer',
      `customer: expected well-formed text, got a lone surrogate in ${describe(customer)}`,
    )
  return customer
}

function weightOf(weight: unknown): number {
  if (weight === undefined || weight === null) return 1
  if (typeof weight === 'number' && weight > 0 && weight <= 1e9) return weight
  throw new Refusal('bad-weight', `weight: expected a number above 0 and at most 1e9, got ${describe(weight)}`)
}
