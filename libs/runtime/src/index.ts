export { Guard } from './access/guard.ts'
export { routeNeeds } from './access/route-needs.ts'
export { scopes } from './access/scopes.ts'
export { shortestToken } from './access/tokens.ts'
export { BodyError } from './body-error.ts'
export {
  ConfigurationError,
  environmentVariables,
  jsonSchema,
  loadConfiguration,
} from './configuration.ts'
export { counted, plural } from './counted.ts'
export { gapPolicy } from './gap-policy.ts'
export { Health } from './health.ts'
export { HttpError } from './http-error.ts'
export { createHttpServer } from './http-server.ts'
export { committedPosition, lagOf, learnedPosition, type PartitionLag, type Position, totalLag } from './lag.ts'
export { Latest } from './latest.ts'
export { createLogger, type Logger } from './logger.ts'
export { looksAt } from './looks-at.ts'
export { Mailbox } from './mailbox.ts'
export { createMetrics, type Metrics } from './metrics.ts'

export { onAbort, untilAborted } from './on-abort.ts'
export { type Process, type ProcessOptions, type RunningProcess, type Service, startProcess } from './process.ts'
export { quietAfter, type WhenQuiet } from './quiet.ts'
export { maxRecordsOn, runStage, timed } from './run-stage.ts'
export { redactedJson } from './secrets.ts'
export { type EndingSignal, exitCodeOfSignal, shutdownSignal } from './shutdown.ts'
export { type Emission, run, type Stage } from './stage.ts'
export { StageNeeds } from './stage-needs.ts'
