export { LabelChunks } from './label-chunks.ts'
export { type ScoringOptions, scoring } from './scoring.ts'
export { scoringService } from './service.ts'
