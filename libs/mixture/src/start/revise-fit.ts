import type { Start } from '../em/estimators/estimator.ts'
import type { Mixture } from '../em/mixture.ts'
import { sampleSize } from '../em/sample-size.ts'
import { type Block, rowsOf } from '../families/block.ts'
import { empty, scale } from '../families/family.ts'
import { perUnitWeight } from '../families/prior.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { type TransformedBlock, transformOf } from '../model/transform.ts'
import type { Random } from '../numerics/random.ts'
import { weightedMean } from '../numerics/weighted-mean.ts'
import { relearn } from './relearn.ts'
import { isDue, leastExpected, REVISION_SAMPLE, type Surprise, surprisedBy } from './surprise.ts'
import type { WarmUp } from './warm-up.ts'

export interface ReviseFitOptions {
  readonly specification: ModelSpecification
  readonly mixture: Mixture
  /** shape (rows, d), user's units */
  readonly block: Block
  readonly weights: Float64Array | undefined
  /** the block in model space */
  readonly transformed: TransformedBlock
  readonly warmUp: WarmUp
  readonly random: Random
  readonly kernel?: Kernel | undefined
}

/**
 * What a one-pass fit goes on from where that is due (see `isDue`): components that are learned anew from a sample of the rows so far, if they
 * are better (see `relearn`), with the statistics of all rows so far. The transform stays.
 */
export function reviseFit(options: ReviseFitOptions): NonNullable<Start['revise']> {
  const { specification, mixture, block, weights, transformed, warmUp, random, kernel } = options
  const frozen = transformOf(warmUp.parameters)
  const { rows: head, weight: headWeight } = warmUp.learned
  // Batches are scored in model space.
  const meanJacobian = (rows: number): number =>
    weightedMean(transformed.logJacobian.subarray(0, rows), weights?.subarray(0, rows)).mean
  const expectedLogLikelihood = leastExpected(warmUp.heldOutLogLikelihood, warmUp.heldOutError) - meanJacobian(head)
  let surprise: Surprise = { expectedLogLikelihood, surprise: 0, judgedWeight: headWeight }
  return (state, rows, batch) => {
    if (!(batch.weight > 0)) return undefined
    surprise = surprisedBy(surprise, batch.logLikelihood, batch.weight)
    if (!isDue(specification, surprise, state.weight)) return undefined
    const sample = sampleRows(rows, weights, random)
    const events = takeRows(block, sample.rows)
    const model = { specification, parameters: { ...state.parameters, ...frozen } }
    const { better, parameters, expectedLogLikelihood } = relearn(
      model,
      events,
      sample.weights,
      sample.rows.length === rows,
      random,
      kernel,
    )
    surprise = {
      expectedLogLikelihood: expectedLogLikelihood - meanJacobian(rows),
      surprise: 0,
      judgedWeight: state.weight,
    }
    if (!better) return undefined
    const learned = rowsOf(transformed.block, 0, rows)
    const learnedWeights = weights?.subarray(0, rows)
    const statistics = empty(mixture)
    const { weight } = mixture.expectation(parameters, learned, learnedWeights, statistics)
    scale(statistics, 1 / weight)
    const { effectiveSampleSize } = sampleSize(learnedWeights, rows)
    const prior = perUnitWeight(specification.prior, effectiveSampleSize)
    const maximised = mixture.maximise(statistics, prior, parameters)
    return { parameters: maximised, statistics, step: state.step, weight, effectiveSampleSize }
  }
}

/** The newest half of the sample as they are, and an even half of the rows before, each counting for those that were left out. */
function sampleRows(rows: number, weights: Float64Array | undefined, random: Random) {
  const border = Math.max(0, rows - REVISION_SAMPLE / 2)
  const share = Math.min(1, REVISION_SAMPLE / 2 / Math.max(1, border))
  const chosen: number[] = []
  let all = 0
  let taken = 0
  for (let n = 0; n < rows; n++) {
    const w = weights?.[n] ?? 1
    const old = n < border
    if (old) all += w
    if (old && share < 1 && random() >= share) continue
    if (old) taken += w
    chosen.push(n)
  }
  const factor = taken > 0 ? all / taken : 1
  const of = (n: number) => (weights?.[n] ?? 1) * (n < border ? factor : 1)
  return { rows: Int32Array.from(chosen), weights: Float64Array.from(chosen, of) }
}
