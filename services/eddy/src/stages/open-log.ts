import type { EventLog } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log/embedded'
import type { Configuration } from '../configuration.ts'

/** The log a configuration names. @param readOnly for commands that look on while another process writes */
export function openLog({ log }: Configuration, readOnly = false): EventLog {
  return openEmbeddedLog(log.directory, { readOnly })
}
