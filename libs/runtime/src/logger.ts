import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

/** Paths whose values never reach a log line, wherever they come from. */
const secrets = ['password', 'token', 'secret', 'key', 'sasl', 'authorization']

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
    { level, base: null, redact: { paths, censor: '[redacted]' }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  )
}
