export type { InputEnd } from './e-step-worker.ts'
export { Learner } from './learner.ts'
export type { LearningOptions } from './learning-options.ts'
export { learningService, updaterService, workerService } from './service.ts'
