import type { StoredRecord } from '@eddy/log'
import { decodeJson } from './decode-json.ts'
import type { FeatureRule } from './feature-rule.ts'
import { Refusal } from './refusal.ts'
import { toFeatureVector } from './validate.ts'

/**
 * Reads stored events in JSON once more, for several lists of features at once: the values of each list after those of the one before, from
 * `at` on. What comes as a ready-made vector has no names to read by.
 * @returns the event's weight; undefined where one of the lists refuses it, and `values` is not to be used then
 */
export const rowReader =
  (lists: readonly (readonly FeatureRule[])[]) =>
  ({ value, timestamp }: StoredRecord, values: Float64Array, at: number): number | undefined => {
    if (value === null || value.length === 0 || value[0] === 0) return undefined
    try {
      const event = decodeJson(value)
      let weight: number | undefined
      for (const rules of lists) {
        const vector = toFeatureVector(event, rules, timestamp)
        values.set(vector.features, at)
        at += rules.length
        weight = vector.weight
      }
      return weight
    } catch (error) {
      if (error instanceof Refusal) return undefined
      throw error
    }
  }
