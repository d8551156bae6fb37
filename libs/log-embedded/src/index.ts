export { backUpLog, restoreLog } from './backup.ts'

export { type EmbeddedLog, openEmbeddedLog } from './embedded-log.ts'

export { verifyLog } from './verify.ts'
