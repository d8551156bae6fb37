import type { Estimator } from '../em/estimators/estimator.ts'
import type { Block } from '../families/block.ts'
import { takeRows } from '../families/take-rows.ts'
import { fitModel } from '../fit-model.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { ModelSpecification } from '../model/specification.ts'
import type { Random } from '../numerics/random.ts'

/** One density for each class, and how common the classes are. */
export interface BayesClassifier {
  /** names, in the order of everything below */
  readonly classes: readonly string[]
  /** shape (C): P(class), sums to 1 */
  readonly priors: readonly number[]
  /** p(x | class), a mixture each, in the user's units */
  readonly models: readonly Pick<Model, 'specification' | 'parameters'>[]
}

export interface TrainOptions {
  readonly estimator: Estimator
  readonly random: Random
  /** P(class) for each class name; by default the classes' shares of the events' weight */
  readonly priors?: Readonly<Record<string, number>>
}

/**
 * One mixture for each class of labelled events. With one component and diagonal covariance it is gaussian naive Bayes.
 * Each class has its own transform: log densities are in the user's units and stay comparable.
 * @param labels length rows; events with an undefined label are left out
 * @throws if there is no labelled event
 */
export function trainClassifier(
  specification: ModelSpecification,
  block: Block,
  labels: readonly (string | undefined)[],
  weights: Float64Array | undefined,
  options: TrainOptions,
): BayesClassifier {
  const classes = [...new Set(labels.filter(label => label !== undefined))].sort()
  if (classes.length === 0) throw new Error('labels: expected at least one labelled event, got none')
  const shares: number[] = []
  const models = classes.map(name => {
    const rows = Int32Array.from(labels.flatMap((label, n) => (label === name ? [n] : [])))
    const own = weights === undefined ? undefined : Float64Array.from(rows, n => weights[n]!)
    shares.push(own?.reduce((a, b) => a + b, 0) ?? rows.length)
    const { parameters } = fitModel(specification, takeRows(block, rows), own, options)
    return { specification, parameters }
  })
  const given = options.priors
  const raw = given === undefined ? shares : classes.map(name => priorOf(given, name))
  const sum = raw.reduce((a, b) => a + b, 0)
  if (!(sum > 0)) throw new Error(`priors: expected a positive sum, got ${sum}`)
  return { classes, priors: raw.map(p => p / sum), models }
}

function priorOf(priors: Readonly<Record<string, number>>, name: string): number {
  const prior = priors[name]
  if (!(prior !== undefined && prior >= 0)) throw new Error(`priors.${name}: expected a number ≥ 0, got ${prior}`)
  return prior
}

export interface DecisionOptions {
  /** costs[truth][decision], shape (C, C); 0 on and 1 off the diagonal by default */
  readonly costs?: readonly (readonly number[])[]
  /** cost of not deciding; an event whose every decision is expected to cost more is rejected. Never by default. */
  readonly rejectCost?: number
}

/** Decisions about a block of events. */
export interface Decisions {
  /** shape (rows): index into `classes`, −1 for rejected */
  readonly decision: Int32Array
  /** shape (rows, C): P(class | x), rows sum to 1 */
  readonly posterior: Float64Array
  /** shape (rows): expected cost of the decision */
  readonly expectedCost: Float64Array
  /** shape (rows, C): log p(x | class), nats, user's units; the likelihood ratio of two classes is their difference */
  readonly logDensity: Float64Array
}

/**
 * Bayes decisions: the class of least expected cost Σ_c P(c | x) cost(c, decision) (Duda, Hart & Stork 2001, §2.2), or none where even that
 * is above the cost of rejecting (Chow 1970). With two classes and 0/1 costs: class 1 where the likelihood ratio exceeds P(2)/P(1).
 */
export function classify(classifier: BayesClassifier, block: Block, options: DecisionOptions = {}): Decisions {
  const { classes, priors, models } = classifier
  const C = classes.length
  const { rows } = block
  const costs = options.costs ?? classes.map((_, truth) => classes.map((_, decision) => (truth === decision ? 0 : 1)))
  if (costs.length !== C || costs.some(row => row.length !== C))
    throw new Error(`costs: expected ${C} rows of ${C} numbers, one a class (${classes.join(', ')})`)
  const logDensity = new Float64Array(rows * C)
  models.forEach((model, c) => {
    const scores = scoreModel(model, block)
    for (let n = 0; n < rows; n++) logDensity[n * C + c] = scores.logDensity[n]!
  })
  const posterior = new Float64Array(rows * C)
  const decision = new Int32Array(rows)
  const expectedCost = new Float64Array(rows)
  for (let n = 0; n < rows; n++) {
    let largest = -Infinity
    for (let c = 0; c < C; c++) largest = Math.max(largest, logDensity[n * C + c]! + Math.log(priors[c]!))
    let sum = 0
    for (let c = 0; c < C; c++)
      sum += posterior[n * C + c] = Math.exp(logDensity[n * C + c]! + Math.log(priors[c]!) - largest)
    for (let c = 0; c < C; c++) posterior[n * C + c]! /= sum
    let least = Infinity
    for (let choice = 0; choice < C; choice++) {
      let cost = 0
      for (let truth = 0; truth < C; truth++) cost += posterior[n * C + truth]! * costs[truth]![choice]!
      if (cost < least) {
        least = cost
        decision[n] = choice
      }
    }
    if (options.rejectCost !== undefined && least > options.rejectCost) {
      decision[n] = -1
      least = options.rejectCost
    }
    expectedCost[n] = least
  }
  return { decision, posterior, expectedCost, logDensity }
}
