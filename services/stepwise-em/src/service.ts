import type { Process, Service } from '@eddy/runtime'
import { filter, firstValueFrom } from 'rxjs'
import type { LearningHooks, LearningOptions } from './learning-options.ts'
import { runUpdater } from './run-updater.ts'
import { runWorker } from './run-worker.ts'

/** The E-step: feature vectors × snapshot → statistics. */
export const workerService = (options: Omit<LearningOptions, 'mStep'>): Service => ({
  stages: ['e-step'],
  needsModel: true,
  run: process => runWorker(options, process),
})

/** The M-step: statistics → snapshots and lineage. */
export const updaterService = (options: Omit<LearningOptions, 'eStep'>): Service => ({
  stages: ['updater'],
  needsModel: true,
  run: process => runUpdater(options, process),
})

/** Both in one process. */
export const learningService = (options: LearningOptions, hooks: LearningHooks): Service => ({
  stages: ['e-step', 'updater'],
  needsModel: true,
  run: process => learn(options, hooks, process),
})

/** The worker starts when the updater has folded what an earlier process left, so that nothing is done twice. */
async function learn(options: LearningOptions, hooks: LearningHooks, process: Process): Promise<void> {
  const caughtUp = Promise.withResolvers<bigint>()
  const updating = runUpdater(options, process, { ...hooks, onCaughtUp: caughtUp.resolve })
  const version = await Promise.race([caughtUp.promise, updating])
  if (version === undefined) return
  const current = process.snapshots.pipe(filter(snapshot => snapshot.version >= version))
  if ((await firstValueFrom(current, { defaultValue: undefined })) === undefined) return updating
  await Promise.all([updating, runWorker(options, process, hooks)])
}
