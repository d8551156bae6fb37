export { type EStepWorkerInputs, type EStepWorkerOptions, eStepWorker, type InputEnd } from './e-step-worker.ts'
export { Learner } from './learner.ts'
export { Updater, type UpdaterOptions } from './updater.ts'
export { type WarmUpInputs, type WarmUpOptions, warmUpStage } from './warm-up.ts'
