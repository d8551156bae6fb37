export { backUpLog, restoreLog } from './backup.ts'
export { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded-log.ts'
export type { Dropped } from './maintenance.ts'
