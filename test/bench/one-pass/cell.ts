import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Block,
  batchEm,
  bestStart,
  createSpecification,
  fitModel,
  indexOfLargest,
  type Model,
  type ModelSpecification,
  permutation,
  random,
  rowsOf,
  scoreModel,
  stepwiseEm,
  takeRows,
  treated,
} from '@eddy/mixture'
import { adjustedRandIndex } from '../kernels/statistics.ts'

/** A data set of `data.py`. */
export interface DataSet {
  readonly name: string
  readonly group: 'page' | 'fresh'
  readonly rows: number
  /** rows to learn, the first ones; the others are held out */
  readonly train: number
  readonly columns: number
}

/** What batch EM comes to on a cell: mean log-likelihood of the events that were held out, nats. */
export interface Batch {
  /** `eddy fit` with its defaults and seed 1 */
  readonly fit: number
  /** of six such fits the one that explains what it learned best, run on until it gains less than 1e-6 an iteration */
  readonly best: number
  /** adjusted Rand index of the fits with seeds 1 and 2 */
  readonly agreement: number
}

/** What one pass comes to, with seeds 1 and 2. */
export interface OnePass {
  readonly heldOut: readonly [number, number]
  readonly agreement: number
  /** processor time of one pass, warm-up included */
  readonly seconds: number
}

/** Fits of which the best is the reference. */
const FITS = 6

/** A data set with a number of components. */
export class Cell {
  readonly #specification: ModelSpecification
  readonly #train: Block
  readonly #test: Block

  constructor(folder: string, { name, rows, train, columns }: DataSet, components: number) {
    const values = new Float64Array(new Uint8Array(readFileSync(join(folder, `${name}.f64`))).buffer)
    const all: Block = { rows, columns, values }
    this.#train = rowsOf(all, 0, train)
    this.#test = rowsOf(all, train, rows)
    const features = Array.from({ length: columns }, (_, j) => ({ name: `x${j}`, transform: 'auto' as const }))
    const declared = createSpecification({ features, components })
    // As a stream decides it; batch EM has the same, because likelihoods of different treatments do not compare.
    this.#specification = treated(declared, rowsOf(all, 0, Math.min(train, declared.warmUp.events)))
  }

  batch(): Batch {
    const { prior, warmUp } = this.#specification
    const run = (seed: number) => {
      const next = random(seed)
      const { rows } = this.#train
      const some = permutation(rows, next).subarray(0, Math.min(rows, warmUp.events)).sort()
      const start = bestStart(this.#specification, takeRows(this.#train, some), undefined, { random: next })
      return fitModel(this.#specification, this.#train, undefined, {
        estimator: batchEm({ prior }),
        random: next,
        start,
      })
    }
    const fits = Array.from({ length: FITS }, (_, i) => run(i + 1))
    const start = fits.reduce((best, fit) => (fit.lowerBound > best.lowerBound ? fit : best)).parameters
    const estimator = batchEm({ prior, tolerance: 1e-6, maxIterations: 300 })
    const best = fitModel(this.#specification, this.#train, undefined, { estimator, random: random(1), start })
    return { fit: this.#heldOut(fits[0]!), best: this.#heldOut(best), agreement: this.#agreement(fits[0]!, fits[1]!) }
  }

  onePass(): OnePass {
    const before = process.cpuUsage()
    const run = (seed: number) =>
      fitModel(this.#specification, this.#train, undefined, {
        estimator: stepwiseEm(this.#specification),
        random: random(seed),
      })
    const models = [run(1), run(2)] as const
    const { user, system } = process.cpuUsage(before)
    const [first, second] = models
    return {
      heldOut: [this.#heldOut(first), this.#heldOut(second)],
      agreement: this.#agreement(first, second),
      seconds: (user + system) / 2e6,
    }
  }

  #heldOut(model: Model): number {
    return scoreModel(model, this.#test).logDensity.reduce((sum, x) => sum + x, 0) / this.#test.rows
  }

  #agreement(a: Model, b: Model): number {
    return adjustedRandIndex(this.#segments(a), this.#segments(b))
  }

  #segments(model: Model): Int32Array {
    const { components } = model.specification
    const { posterior } = scoreModel(model, this.#test)
    return Int32Array.from({ length: this.#test.rows }, (_, n) => indexOfLargest(posterior, n * components, components))
  }
}
