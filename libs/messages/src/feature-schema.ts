import { createHash } from 'node:crypto'
import type { FeatureSpecification } from '@eddy/mixture'

/** What the numbers of a feature vector are, so that none is read as another. */
export interface FeatureSchema {
  /** d */
  readonly columns: number
  /** hash of the features' names, order, types and categories, u32; 0: not known, and any is read by position */
  readonly identity: number
}

/** The schema of features in this order. Models of earlier releases do not name their categories: nothing is known of such features. */
export function featureSchema(
  features: readonly { [P in 'name' | 'type' | 'values' | 'categories']?: FeatureSpecification[P] | undefined }[],
): FeatureSchema {
  const columns = features.length
  if (features.some(({ values, categories }) => values === undefined && categories !== undefined))
    return { columns, identity: 0 }
  const form = features.map(({ name, type, values }) => [name, type, values ?? []])
  const identity = createHash('sha256').update(JSON.stringify(form)).digest().readUInt32LE()
  return { columns, identity: identity || 1 }
}

/** Whether a vector with this identity is of the schema, as far as both are known. */
export const isOfSchema = (identity: number, schema: Pick<FeatureSchema, 'identity'>): boolean =>
  identity === schema.identity || identity === 0 || schema.identity === 0

/** An identity as people read it. */
export const identityText = (identity: number): string => identity.toString(16).padStart(8, '0')
