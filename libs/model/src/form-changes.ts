import type { FeatureSpecification, ModelSpecification } from '@eddy/mixture'

/** A setting that a model was learned with, and another value that is wanted now. */
export interface FormChange {
  /** where it stands in eddy.yaml */
  readonly setting: string
  /** in words: the values that were learned with, and that are configured */
  readonly stored: string
  readonly configured: string
  /** `features`: what stored feature vectors mean. `model`: what is learned from them; another model can learn it from the same vectors */
  readonly of: 'features' | 'model'
}

/**
 * What of a model's form is configured otherwise than it was learned. Statistics of another form mean something else, so that
 * nothing can go on from them. What may change is not compared: prior and step size apply from the next start on, and bounds,
 * units and what is required concern new events alone.
 * `auto` fits the treatment that was decided, and what was `none` before there was `auto`.
 */
export function formChanges(stored: ModelSpecification, configured: ModelSpecification): readonly FormChange[] {
  const changes: FormChange[] = []
  for (const name of ['components', 'covariance', 'factors', 'family', 'degreesOfFreedom'] as const)
    note(changes, 'model', `model.${name}`, stored[name], configured[name])
  return [...changes, ...featureChanges(stored.features, configured.features), ...treatmentChanges(stored, configured)]
}

/** What of the features' schema is configured otherwise: their names, order, types and categories. */
export function featureChanges(
  stored: readonly FeatureSpecification[],
  configured: readonly FeatureSpecification[],
): readonly FormChange[] {
  const changes: FormChange[] = []
  const names = (features: readonly FeatureSpecification[]): string => features.map(({ name }) => name).join(', ')
  note(changes, 'features', 'features', names(stored), names(configured))
  if (changes.length > 0) return changes
  for (const [i, { name, type, values, categories }] of stored.entries()) {
    const now = configured[i]!
    note(changes, 'features', `features.${name}.type`, type, now.type)
    // Older models have only the number of their categories.
    if (values === undefined) note(changes, 'features', `features.${name}.values`, categories, now.categories)
    else note(changes, 'features', `features.${name}.values`, values.join(', '), now.values?.join(', '))
  }
  return changes
}

function treatmentChanges(stored: ModelSpecification, configured: ModelSpecification): readonly FormChange[] {
  const changes: FormChange[] = []
  for (const feature of stored.features) {
    const now = configured.features.find(({ name }) => name === feature.name)
    if (now !== undefined) note(changes, 'model', `features.${feature.name}.exposure`, feature.exposure, now.exposure)
    if (now === undefined || feature.type !== 'number' || now.type !== 'number') continue
    const { name, transform = 'none', resolution, atom } = feature
    const olderDefault = transform === 'none' && now.transform === 'auto'
    if (!olderDefault) note(changes, 'model', `features.${name}.transform`, transform, now.transform ?? 'none')
    note(changes, 'model', `features.${name}.resolution`, resolution, now.resolution)
    note(changes, 'model', `features.${name}.atom`, atom, now.atom)
  }
  return changes
}

function note(
  changes: FormChange[],
  of: FormChange['of'],
  setting: string,
  stored: string | number | undefined,
  configured: string | number | undefined,
): void {
  const words = (value: string | number | undefined): string => (value === undefined ? 'none' : String(value))
  if (stored !== configured) changes.push({ of, setting, stored: words(stored), configured: words(configured) })
}
