import { cachedModel, copyComponents, type Kernel, type Prior, rowsOf } from '@eddy/mixture'
import {
  componentsOfThread,
  estimatesAmong,
  Operation,
  type Range,
  rowsOfThread,
  type SharedMemory,
  type SharedViews,
} from './shared-work.ts'

export interface Work {
  readonly operation: Operation
  /** events of the whole batch */
  readonly rows: number
  readonly columns: number
  /** events, or components of an M-step, that are done at once */
  readonly slice: number
}

/**
 * Does one of the parts of a piece of work, and pauses after each slice but the last; `views.parameters` are those it is done under.
 * @param done slices that have been done, on whatever thread
 */
export type DoPart = (
  index: number,
  work: Work,
  memory: SharedMemory,
  views: SharedViews,
  done?: number,
) => Generator<void, void>

/** Does a slice: events, or components. */
type DoSlice = (index: number, slice: Range, work: Work, memory: SharedMemory, views: SharedViews) => void

export function partsOf(threads: number, kernel: Kernel): DoPart {
  const modelOf = cachedModel(kernel)

  const sumOf = (index: number, { statistics, sums }: SharedViews) => (index === 0 ? statistics : sums[index - 1]!)

  const expectation: DoSlice = (index, slice, { rows, columns }, { specification }, views) => {
    const { parameters, values, weights, totals } = views
    const { logLikelihood, weight } = modelOf(specification).expectation(
      parameters,
      rowsOf({ rows, columns, values }, slice.from, slice.to),
      weights.subarray(slice.from, slice.to),
      sumOf(index, views),
    )
    const total = totals[index]!
    total[0]! += logLikelihood
    total[1]! += weight
  }

  const score: DoSlice = (_, slice, { rows, columns }, { specification, layout }, views) => {
    const { parameters, values, posterior, logDensity } = views
    const { components } = layout
    const posteriors = posterior.subarray(slice.from * components, slice.to * components)
    const densities = logDensity.subarray(slice.from, slice.to)
    const block = rowsOf({ rows, columns, values }, slice.from, slice.to)
    modelOf(specification).score(parameters, block, posteriors, densities)
  }

  const maximise: DoSlice = (_, only, __, { specification, layout }, views) => {
    const { components } = layout
    const { parameters, estimates, statistics, prior } = views
    const [weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor] = prior
    const numbers = { weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor } as Prior
    const estimated = modelOf(specification).mixture.maximise(statistics, numbers, parameters, only, estimates)
    for (const name of estimatesAmong(parameters))
      if (estimated[name] !== estimates[name]) copyComponents(estimates[name]!, estimated[name]!, components, only)
  }

  const slices = {
    [Operation.expectation]: expectation,
    [Operation.score]: score,
    [Operation.maximise]: maximise,
  }

  return function* (index, work, memory, views, done = 0) {
    const { operation, rows, slice } = work
    const { components } = memory.layout
    const { from, to } =
      operation === Operation.maximise
        ? componentsOfThread(components, index, threads)
        : rowsOfThread(rows, index, threads)
    if (operation === Operation.expectation && done === 0) {
      sumOf(index, views).fill(0)
      views.totals[index]!.fill(0)
    }
    const first = from + done * slice
    for (let at = first; at < to; at += slice) {
      if (at > first) yield
      slices[operation](index, { from: at, to: Math.min(to, at + slice) }, work, memory, views)
    }
  }
}
