import { type FeatureSpecification, type ModelSpecification, treatmentOf } from '@eddy/mixture'
import { featureChanges, formChanges } from './form-changes.ts'

/**
 * A configured form in which each number enters as it does in a stored model, unless it is configured otherwise: so that only what was changed is
 * another, and the two models can be compared.
 */
export function withStoredTreatment(configured: ModelSpecification, stored: ModelSpecification): ModelSpecification {
  const changed = new Set(formChanges(stored, configured).map(({ setting }) => setting))
  const treatment = ['type', 'transform', 'resolution', 'atom']
  const features = configured.features.map(feature => {
    const was = stored.features.find(({ name }) => name === feature.name)
    const differs =
      was?.type !== feature.type || treatment.some(part => changed.has(`features.${feature.name}.${part}`))
    return was === undefined || differs || feature.type !== 'number' ? feature : was
  })
  return { ...configured, features }
}

/**
 * Whether the likelihoods of two models are of the same thing: of the same features, with the same values as answers of their own and the same
 * cells. (How a number is bent makes no difference: likelihoods are in the user's units.)
 */
export function isComparable(stored: ModelSpecification, other: ModelSpecification): boolean {
  if (featureChanges(stored.features, other.features).length > 0) return false
  const measure = (feature: FeatureSpecification): string => {
    if (feature.type !== 'number') return ''
    const { atom, resolution } = treatmentOf(feature)
    return `${atom} ${resolution}`
  }
  return stored.features.every((feature, i) => measure(feature) === measure(other.features[i]!))
}
