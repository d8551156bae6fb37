export { ANONYMOUS, type KafkaOptions } from './options.ts'
export type { KafkaRight } from './platformatic/missing-rights.ts'
