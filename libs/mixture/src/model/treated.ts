import type { Block } from '../families/block.ts'
import { decideTreatment } from '../treatment/decide-treatment.ts'
import type { FeatureSpecification, ModelSpecification } from './specification.ts'

/**
 * The specification with the treatment of every number whose transform is `auto`, decided on a sample: an atom becomes a spike, rounded values
 * and counts get the variance of their cells, and the bend is the one of the best likelihood. What was declared, and what was decided before,
 * stays as it is. A likelihood of rounded or zero-inflated numbers has no upper bound without this: a component on one value has density ∞.
 * Nothing is random: equal samples give equal treatments.
 * @param block shape (rows, d), user's units; NaN where missing
 * @param weights shape (rows), 1 each if absent
 */
export function treated(specification: ModelSpecification, block: Block, weights?: Float64Array): ModelSpecification {
  const open = (feature: FeatureSpecification) =>
    feature.type === 'number' && feature.transform === 'auto' && feature.treatment === undefined
  if (!specification.features.some(open)) return specification
  const features = specification.features.map((feature, j) => {
    if (!open(feature)) return feature
    const column = Float64Array.from({ length: block.rows }, (_, n) => block.values[n * block.columns + j]!)
    return { ...feature, treatment: decideTreatment(feature, column, weights) }
  })
  return { ...specification, features }
}
