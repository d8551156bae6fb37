export { LabelChunks } from './label-chunks.ts'

export { scoringService } from './service.ts'
