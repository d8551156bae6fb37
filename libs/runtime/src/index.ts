export {
  ConfigurationError,
  type ConfigurationSources,
  environmentVariables,
  jsonSchema,
  loadConfiguration,
} from './configuration.ts'
export { Health } from './health.ts'
export { createHttpServer, type HttpOptions, listen } from './http-server.ts'
export { createLogger, type Logger } from './logger.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { SnapshotObserver } from './observe-snapshot.ts'
export { shutdownSignal } from './shutdown.ts'
export { type Emission, type RunOptions, run, type Stage } from './stage.ts'
