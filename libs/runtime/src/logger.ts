import { type DestinationStream, type Logger, pino } from 'pino'
import { CENSOR, secrets } from './secrets.ts'

export type { Logger }

/**
 * Structured logs on stderr (data belongs to stdout), with secrets redacted.
 * @param level `trace|debug|info|warn|error|fatal|silent`
 */
export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  const paths = secrets.flatMap(name => [name, `*.${name}`, `*.*.${name}`])
  return pino(
    { level, base: null, redact: { paths, censor: CENSOR }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  )
}
