import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { createMixture, freeParameters } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { applyTransform, estimateTransform } from '../model/transform.ts'
import { type SearchOptions, SHORT, sampleOf, search, settle } from './search.ts'

/** Most events that starts are compared on, and for each free parameter: the rest of a sample tells no more about where to begin. */
const START_ROWS = 1024
const ROWS_A_PARAMETER = 4
/** Most EM iterations of a run that settles. */
const ITERATIONS = 200

/**
 * Starting parameters for algorithms that see all events at once: of several short runs of EM those that came furthest go on until they
 * settle; from the best one, segments are merged, and others split, as long as that gains something (Ueda et al. 2000). Runs are compared by the
 * likelihood of the events they learned, and one with a spike loses to any without: its likelihood can be as large as it likes.
 * @param specification treated
 * @param block shape (rows ≥ 1, d), user's units
 * @returns in model space, the transform's arrays included
 */
export function bestStart(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  options: SearchOptions,
): Parameters {
  const transform = estimateTransform(specification, block, weights)
  const events = applyTransform(specification, transform, block).block
  const size = Math.max(START_ROWS, ROWS_A_PARAMETER * freeParameters(specification))
  const sample = sampleOf({ events, weights }, size, options.random)
  const found = search(specification, sample, { iterations: ITERATIONS, ...options })
  const mixture = createMixture(specification, options.kernel)
  const { parameters } =
    sample.events === events ? found : settle(specification, mixture, events, weights, found.parameters, SHORT)
  return { ...parameters, ...transform }
}
