import { type Costs, costOf, type Decision } from '@eddy/mixture'
import { counted } from '@eddy/runtime'
import { figure, percent } from '../command-line/figures.ts'
import { table } from '../command-line/table.ts'

/** How often and how expensively a classifier is wrong. */
export interface ClassificationReport {
  readonly events: number
  /** share of all events that are decided wrongly */
  readonly error: number
  readonly rejected: number
  /** mean cost; a rejected event costs `reject` */
  readonly cost: number
  /** mean −log P(actual class | x), nats */
  readonly logLoss: number
  /** actual class → decided class or `rejected` → events */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** Collects decisions whose truth is known. */
export class ReportBuilder {
  readonly #names: readonly string[]
  readonly #costs: Costs
  readonly #reject: number
  readonly #confusion: number[][]
  #events = 0
  #cost = 0
  #logLoss = 0

  constructor(names: readonly string[], costs: Costs, reject: number) {
    this.#names = names
    this.#costs = costs
    this.#reject = reject
    this.#confusion = names.map(() => new Array<number>(names.length + 1).fill(0))
  }

  /** @param actual index of the true class */
  add(actual: number, decision: Decision): void {
    const { decided, posterior } = decision
    this.#events++
    this.#confusion[actual]![decided < 0 ? this.#names.length : decided]! += 1
    this.#cost += decided < 0 ? this.#reject : costOf(this.#costs, this.#names[actual]!, this.#names[decided]!)
    // A posterior that underflowed is a very sure mistake, not an infinite one.
    this.#logLoss -= Math.log(Math.max(posterior[actual]!, Number.MIN_VALUE))
  }

  report(): ClassificationReport {
    const events = this.#events
    const right = this.#confusion.reduce((sum, row, a) => sum + row[a]!, 0)
    const rejected = this.#confusion.reduce((sum, row) => sum + row.at(-1)!, 0)
    const decided = [...this.#names, 'rejected']
    return {
      events,
      error: (events - right - rejected) / events,
      rejected: rejected / events,
      cost: this.#cost / events,
      logLoss: this.#logLoss / events,
      confusion: Object.fromEntries(
        this.#names.map((name, a) => [
          name,
          Object.fromEntries(decided.map((other, c) => [other, this.#confusion[a]![c]!])),
        ]),
      ),
    }
  }
}

/** Reports by name of the classifier, and the confusion of the first, for people. */
export function readableReports(reports: Readonly<Record<string, ClassificationReport>>): string {
  const rows = Object.entries(reports).map(([name, { error, rejected, cost, logLoss }]) => [
    name,
    percent(error, 2),
    percent(rejected, 2),
    figure(cost),
    figure(logLoss),
  ])
  const [first] = Object.values(reports)
  const decided = Object.keys(Object.values(first!.confusion)[0]!)
  const confusion = Object.entries(first!.confusion).map(([actual, row]) => [
    actual,
    ...decided.map(name => String(row[name])),
  ])
  return (
    `${table(['classifier', 'error', 'rejected', 'mean cost', 'log loss'], rows)}\n\n` +
    `${table(['actual \\ decided', ...decided], confusion)}\n\n${counted(first!.events, 'event')}\n`
  )
}
