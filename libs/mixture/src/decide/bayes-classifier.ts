import type { Kernel } from '../kernel/kernel.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { Density } from './density.ts'

/** Cost of deciding `predicted` where `actual` is true; 0 where they are equal and 1 elsewhere unless given. */
export type Costs = ReadonlyMap<string, number>

/** Key of a cost. */
export const costKey = (actual: string, predicted: string): string => `${actual}:${predicted}`

/** A class-conditional density with its prior. */
export interface ClassDensity {
  readonly name: string
  /** P(class) */
  readonly prior: number
  readonly density: Density
}

/** A decision about one event. */
export interface Decision {
  /** index of the class; −1 where deciding costs more than `reject` */
  readonly decided: number
  /** shape (classes): P(class | x) */
  readonly posterior: Float64Array
  /** expected cost of the decision */
  readonly risk: number
  /** log p(x), nats */
  readonly logDensity: number
}

/** A model as a density. */
export const modelDensity = (model: Model, kernel?: Kernel): Density => ({
  logDensity: (values, rows) =>
    scoreModel(model, { rows, columns: model.specification.features.length, values }, kernel).logDensity,
})

/**
 * Bayes' decision rule: the class of the least expected cost Σ_a P(a | x) cost(a, c), with P(a | x) ∝ P(a) p(x | a); none where that cost
 * exceeds `reject` (Chow 1970). For two classes it compares the likelihood ratio with prior odds times the ratio of the costs.
 * @param values shape (rows, d)
 */
export function decide(
  classes: readonly ClassDensity[],
  values: Float64Array,
  rows: number,
  costs: Costs = new Map(),
  reject = Infinity,
): Decision[] {
  const logs = classes.map(({ prior, density }) => {
    const logPrior = Math.log(prior)
    return density.logDensity(values, rows).map(value => value + logPrior)
  })
  return Array.from({ length: rows }, (_, n) => {
    const joint = Float64Array.from(logs, values => values[n]!)
    const top = Math.max(...joint)
    const terms = joint.map(value => Math.exp(value - top))
    const total = terms.reduce((a, b) => a + b)
    const posterior = terms.map(term => term / total)
    let decided = 0
    let risk = Infinity
    for (const [c, { name }] of classes.entries()) {
      const cost = posterior.reduce((sum, p, a) => sum + p * costOf(costs, classes[a]!.name, name), 0)
      if (cost < risk) {
        decided = c
        risk = cost
      }
    }
    const logDensity = top + Math.log(total)
    return risk > reject
      ? { decided: -1, posterior, risk: reject, logDensity }
      : { decided, posterior, risk, logDensity }
  })
}

/** Cost of a decision. */
export function costOf(costs: Costs, actual: string, predicted: string): number {
  return costs.get(costKey(actual, predicted)) ?? (actual === predicted ? 0 : 1)
}
