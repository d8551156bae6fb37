import { cachedModel, copyComponents, type Prior } from '@eddy/mixture'
import {
  componentsOfThread,
  estimatesAmong,
  Operation,
  rowsOfThread,
  type SharedMemory,
  type SharedViews,
} from './shared-work.ts'

export interface Work {
  readonly operation: Operation
  /** events of the whole batch */
  readonly rows: number
  readonly columns: number
}

/** Does one of the parts of a piece of work; `views.parameters` are those it is done under. */
export type DoPart = (index: number, work: Work, memory: SharedMemory, views: SharedViews) => void

export function partsOf(threads: number): DoPart {
  const modelOf = cachedModel()

  function expectation(index: number, { rows, columns }: Work, { specification }: SharedMemory, views: SharedViews) {
    const { from, to } = rowsOfThread(rows, index, threads)
    const { parameters, values, weights, statistics, sums, totals } = views
    const sum = (index === 0 ? statistics : sums[index - 1]!).fill(0)
    totals[index]!.fill(0)
    if (from === to) return
    const block = { rows: to - from, columns, values: values.subarray(from * columns, to * columns) }
    const { logLikelihood, weight } = modelOf(specification).expectation(
      parameters,
      block,
      weights.subarray(from, to),
      sum,
    )
    totals[index]!.set([logLikelihood, weight])
  }

  function score(index: number, { rows, columns }: Work, { specification, layout }: SharedMemory, views: SharedViews) {
    const { from, to } = rowsOfThread(rows, index, threads)
    if (from === to) return
    const { parameters, values, posterior, logDensity } = views
    const { components } = layout
    const block = { rows: to - from, columns, values: values.subarray(from * columns, to * columns) }
    const posteriors = posterior.subarray(from * components, to * components)
    modelOf(specification).score(parameters, block, posteriors, logDensity.subarray(from, to))
  }

  function maximise(index: number, { specification, layout }: SharedMemory, views: SharedViews) {
    const { components } = layout
    const only = componentsOfThread(components, index, threads)
    if (only.from === only.to) return
    const { parameters, estimates, statistics, prior } = views
    const [weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor] = prior
    const numbers = { weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor } as Prior
    const estimated = modelOf(specification).mixture.maximise(statistics, numbers, parameters, only, estimates)
    for (const name of estimatesAmong(parameters))
      if (estimated[name] !== estimates[name]) copyComponents(estimates[name]!, estimated[name]!, components, only)
  }

  return (index, work, memory, views) => {
    if (work.operation === Operation.expectation) expectation(index, work, memory, views)
    else if (work.operation === Operation.score) score(index, work, memory, views)
    else maximise(index, memory, views)
  }
}
