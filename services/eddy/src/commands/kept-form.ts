import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StoredModel } from '@eddy/model'

/** The file of a data directory that holds the form of the model that its stream began with. */
export const KEPT_FORM = 'form.json'

/** Settings by their paths, which hold where the configuration says nothing. */
export type KnownForm = Readonly<Record<string, unknown>>

/** What a model of `eddy fit` says of itself: its features, how many components it has, and of which form. */
export function formOf({ model: { specification }, columns }: StoredModel): KnownForm {
  const { components, covariance, family, factors, degreesOfFreedom, features } = specification
  return {
    'model.components': components,
    'model.covariance': covariance,
    'model.family': family,
    ...(factors === undefined ? {} : { 'model.factors': factors }),
    ...(degreesOfFreedom === undefined ? {} : { 'model.degreesOfFreedom': degreesOfFreedom }),
    features: features.map(({ name, type, transform, resolution, atom, bounds }, j) => ({
      name,
      type,
      ...(type === 'number' && transform !== undefined ? { transform } : {}),
      ...(resolution === undefined ? {} : { resolution }),
      ...(atom === undefined ? {} : { atom }),
      ...(bounds === undefined ? {} : { min: bounds[0], max: bounds[1] }),
      ...(columns[j]?.values === undefined ? {} : { values: columns[j].values }),
    })),
  }
}

/** @param model name of the model that has this form */
export function keepForm(directory: string, model: string, form: KnownForm): void {
  writeFileSync(join(directory, KEPT_FORM), `${JSON.stringify({ model, form }, undefined, 2)}\n`, { mode: 0o600 })
}

/** The form that is kept in a directory for a model of this name, if one is. */
export function keptForm(directory: string, model: string): KnownForm | undefined {
  const path = join(directory, KEPT_FORM)
  if (!existsSync(path)) return undefined
  const kept = JSON.parse(readFileSync(path, 'utf8')) as { readonly model: string; readonly form: KnownForm }
  return kept.model === model ? kept.form : undefined
}
