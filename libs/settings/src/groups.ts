import type { Configuration } from './configuration.ts'

/**
 * Name of a stage's consumer group. Whatever models learn from a features topic, it is filled once: ingest's group has the topic's name,
 * those of the other stages the model's.
 */
export const groupName = ({ model, topics }: Pick<Configuration, 'model' | 'topics'>, stage: string): string =>
  stage === 'ingest' ? `${topics.features}.ingest` : `${model.name}.${stage}`

/** Name of ingest's group in releases before, each of which was one model's. */
export const formerIngestGroup = ({ model }: Pick<Configuration, 'model'>): string => `${model.name}.ingest`

/** Group prefix for programs of others that read labels. */
export const readersGroup = (configuration: Pick<Configuration, 'model' | 'topics'>): string =>
  groupName(configuration, 'readers')
