import { freeParameters } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'

/**
 * The smallest number of events that a model is learned from at all: ten a segment, and two a free parameter. With fewer, components sit
 * on single events, and their likelihood says nothing about the next one. Of a feature whose treatment is yet to be decided, the spike that
 * it may get is not counted.
 */
export function soundSample(specification: ModelSpecification): number {
  const features = specification.features.map(feature =>
    feature.transform === 'auto' && feature.treatment === undefined
      ? { ...feature, transform: 'none' as const }
      : feature,
  )
  return Math.max(10 * specification.components, 2 * freeParameters({ ...specification, features }))
}
