import type { Expectation, Mixture } from '../em/mixture.ts'
import { assignNearest } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import type { Parameters, Statistics } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture } from './create-mixture.ts'
import { modelColumns } from './model-columns.ts'
import type { ModelSpecification } from './specification.ts'
import { applyTransform, type TransformedBlock } from './transform.ts'

/** A specification with its mixture, which works in model space, and the mixture's steps in the user's units. */
export interface SpecifiedModel {
  readonly specification: ModelSpecification
  readonly mixture: Mixture

  /** As `Mixture.expectation`, of events in the user's units. @param parameters the transform's arrays among them */
  expectation(parameters: Parameters, block: Block, weights: Float64Array, into: Statistics): Expectation

  /** As `Mixture.score`, of events in the user's units; with `centres` (k-means) the nearest one's posterior is 1. @param parameters the transform's arrays among them */
  score(parameters: Parameters, block: Block, posterior: Float64Array, logDensity: Float64Array): void
}

/** The model of a specification. Its memory for transformed events is used again. */
export function specifiedModel(specification: ModelSpecification, kernel?: Kernel): SpecifiedModel {
  const mixture = createMixture(specification, kernel)
  const columns = modelColumns(specification).count
  let scratch = { values: new Float64Array(0), logJacobian: new Float64Array(0) }
  const transform = (parameters: Parameters, block: Block): TransformedBlock => {
    const size = block.rows * columns
    if (scratch.logJacobian.length < block.rows || scratch.values.length < size)
      scratch = { values: new Float64Array(size), logJacobian: new Float64Array(block.rows) }
    return applyTransform(specification, parameters, block, scratch)
  }
  return {
    specification,
    mixture,

    expectation(parameters, block, weights, into) {
      const transformed = transform(parameters, block)
      const { logLikelihood, weight } = mixture.expectation(parameters, transformed.block, weights, into)
      let jacobian = 0
      for (let n = 0; n < block.rows; n++) jacobian += weights[n]! * transformed.logJacobian[n]!
      return { logLikelihood: logLikelihood + jacobian, weight }
    },

    score(parameters, block, posterior, logDensity) {
      const transformed = transform(parameters, block)
      mixture.score(parameters, transformed.block, posterior, logDensity)
      const { centres } = parameters
      if (centres !== undefined)
        assignNearest(transformed.block, undefined, centres, specification.components, posterior)
      for (let n = 0; n < block.rows; n++) logDensity[n]! += transformed.logJacobian[n]!
    },
  }
}

/** The model that a specification's JSON text tells, made anew only when the text changes. */
export function cachedModel(kernel?: Kernel): (text: string) => SpecifiedModel {
  let known: string | undefined
  let model: SpecifiedModel | undefined
  return text => {
    if (model === undefined || text !== known) {
      known = text
      model = specifiedModel(JSON.parse(text) as ModelSpecification, kernel)
    }
    return model
  }
}
