import { batchEm } from '../em/estimators/batch-em.ts'
import { mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import { categorical } from '../families/discrete/categorical.ts'
import type { Prior } from '../families/prior.ts'
import type { Random } from '../numerics/random.ts'

/** One entry of a document–word table. */
export interface WordCount {
  /** index of the document, 0 … */
  readonly document: number
  /** index of the word, 0 … */
  readonly word: number
  /** how often it occurs there, > 0 */
  readonly count: number
}

export interface Topics {
  /** shape (K): P(z) */
  readonly weights: Float64Array
  /** shape (K, documents): P(d | z) */
  readonly documents: Float64Array
  /** shape (K, words): P(w | z) */
  readonly words: Float64Array
  /** mean log P(d, w), nats per word */
  readonly lowerBound: number
  readonly converged: boolean
  readonly iterations: number
}

/**
 * Probabilistic latent semantic analysis (Hofmann 1999): P(d, w) = Σ_z P(z) P(d | z) P(w | z). That is a mixture of products of two
 * categorical distributions over (document, word), each pair an event whose weight is its count, and is fitted as such.
 */
export function plsa(
  counts: readonly WordCount[],
  options: {
    readonly topics: number
    readonly prior: Prior
    readonly random: Random
    readonly tolerance?: number
    readonly maxIterations?: number
    /** told after each iteration: mean log P(d, w) before it, nats per word */
    readonly onIteration?: (iteration: number, lowerBound: number) => void
  },
): Topics {
  const { topics, prior, random, tolerance = 1e-6, maxIterations = 500, onIteration } = options
  if (counts.length === 0) throw new Error('counts: expected at least one word in a document, got none')
  const documents = 1 + counts.reduce((most, { document }) => Math.max(most, document), 0)
  const words = 1 + counts.reduce((most, { word }) => Math.max(most, word), 0)
  const block: Block = {
    rows: counts.length,
    columns: 2,
    values: Float64Array.from(counts.flatMap(({ document, word }) => [document, word])),
  }
  const weights = Float64Array.from(counts, ({ count }) => count)
  const family = categorical({ components: topics, categories: [documents, words] })
  const model = mixture(family)
  // The symmetric start is a fixed point of EM: topics begin as random responsibilities.
  const responsibilities = new Float64Array(counts.length * topics)
  for (let n = 0; n < counts.length; n++) {
    let sum = 0
    for (let k = 0; k < topics; k++) sum += responsibilities[n * topics + k] = -Math.log(1 - random())
    for (let k = 0; k < topics; k++) responsibilities[n * topics + k]! *= weights[n]! / sum
  }
  const initial = model.initial(block, weights)
  const statistics = new Float64Array(model.statisticsLength)
  family.observe(statistics, block, responsibilities, initial)
  const start = { parameters: model.maximise(statistics, prior, initial) }
  const fit = batchEm({ prior, tolerance, maxIterations, ...(onIteration && { onIteration }) }).fit(
    model,
    block,
    weights,
    start,
  )
  const table = fit.parameters.probabilities!
  const part = (from: number, size: number) => {
    const out = new Float64Array(topics * size)
    for (let k = 0; k < topics; k++) out.set(table.subarray(k * (documents + words) + from).subarray(0, size), k * size)
    return out
  }
  return {
    weights: fit.parameters.weights!,
    documents: part(0, documents),
    words: part(documents, words),
    lowerBound: fit.lowerBound,
    converged: fit.converged,
    iterations: fit.iterations,
  }
}
