import { type DestinationStream, type Logger, pino } from 'pino'
import { CENSOR, secrets } from './secrets.ts'

export type { Logger }

// JSON itself escapes only those below a space.
const controls = /[\x7f-\x9f]/g
const harmless = (line: string): string =>
  line.replace(controls, control => `\\u00${control.charCodeAt(0).toString(16)}`)

/**
 * Structured logs on stderr (data belongs to stdout), with secrets redacted and no control character, whatever is told.
 * @param level `trace|debug|info|warn|error|fatal|silent`
 */
export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  const paths = secrets.flatMap(name => [name, `*.${name}`, `*.*.${name}`])
  return pino(
    {
      level,
      base: null,
      redact: { paths, censor: CENSOR },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: harmless },
    },
    destination,
  )
}
