import type { EventLog } from '@eddy/log'
import { type Configuration, type OpenOptions, openLog } from '@eddy/settings'
import { reachBrokers } from '../command-line/reach-brokers.ts'
import { note, type Terminal } from '../command-line/terminal.ts'

/** The log that a command looks at. Brokers that do not answer are told of soon, and not waited for longer than is told. */
export async function openCommandLog(
  configuration: Configuration,
  terminal: Terminal,
  options: OpenOptions = {},
): Promise<EventLog> {
  const { log, kafka } = configuration
  if (log.kind === 'kafka') await reachBrokers(kafka.brokers ?? [], message => note(terminal, `eddy: ${message}`))
  return openLog(configuration, options)
}
