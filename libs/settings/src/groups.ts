import type { Configuration } from './configuration.ts'

/** Name of a stage's consumer group. */
export const groupName = ({ model }: Pick<Configuration, 'model'>, stage: string): string => `${model.name}.${stage}`

/** Group prefix for programs of others that read labels. */
export const readersGroup = (configuration: Pick<Configuration, 'model'>): string => groupName(configuration, 'readers')
