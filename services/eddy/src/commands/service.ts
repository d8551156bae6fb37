import { setTimeout as pause } from 'node:timers/promises'
import { createLogger, shutdownSignal } from '@eddy/runtime'
import { featuresOf, openLog } from '@eddy/settings'
import { Command } from 'commander'
import { note, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { runService, type ServiceName } from '../start-services.ts'
import { configurationOf, type GapFlag, type LogFlags, port, withGapOption, withLogOptions } from './log-options.ts'

/** Longest wait for the log to close, milliseconds. */
const closeMs = 10_000

interface ServiceFlags extends LogFlags, GapFlag {
  readonly port?: number
}

const descriptions: Readonly<Record<ServiceName, string>> = {
  ingest: 'Turn events into feature vectors, or dead letters. Any number of processes.',
  'em-worker': 'The E-step: statistics of feature vectors under the newest snapshot. Any number of processes.',
  'em-updater': 'The M-step: fold statistics into snapshots. One works, others stand by.',
  scoring: 'Label feature vectors with the newest snapshot. Any number of processes.',
}

/** `eddy ingest`, `eddy em-worker`, `eddy em-updater`, `eddy scoring`: one service as a process of its own, on Kafka. */
export function serviceCommand(name: ServiceName, terminal: Terminal = processTerminal): Command {
  const command = new Command(name)
    .description(descriptions[name])
    .option(
      '--port <number>',
      'HTTP port for /livez, /readyz, /metrics and the routes of the service, 0 for any free one (default 7700, or a free one where that is taken)',
      port,
    )
    .action((flags: ServiceFlags) => service(name, flags, terminal))
  return withExamples(withGapOption(withLogOptions(command)), [
    [
      `KAFKA_BROKERS=broker:9092 eddy ${name} --config eddy.yaml`,
      'run it on a Kafka cluster (create the topics first: eddy topics create)',
    ],
  ])
}

async function service(name: ServiceName, flags: ServiceFlags, terminal: Terminal): Promise<void> {
  const read = () =>
    configurationOf(flags, terminal, { 'log.kind': 'kafka', 'log.onGap': flags.onGap, 'http.port': flags.port })
  const configuration = read()
  const { features } = await featuresOf(configuration, undefined)
  const logger = createLogger(configuration.logging.level)
  const shutdown = shutdownSignal()
  const log = await openLog(configuration, { logger })
  const onListening = (listening: number): void =>
    note(
      terminal,
      `eddy ${name} is up: ${configuration.http.tls.cert === undefined ? 'http' : 'https'}://${configuration.http.host}:${listening}/metrics`,
    )
  try {
    await runService({
      name,
      configuration,
      features,
      log,
      logger,
      now: Date.now,
      signal: shutdown.signal,
      onListening,
      // The default port gives way to a free one, so that services share a machine; a chosen port does not.
      http: {
        ...configuration.http,
        reread: () => read().http,
        mayMove: flags.port === undefined && terminal.environment.EDDY_HTTP_PORT === undefined,
      },
    })
  } finally {
    // All that was to become durable is, or the service has failed: a broker that is silent must not keep the process.
    await Promise.race([log.close(), pause(closeMs, undefined, { ref: false })])
    shutdown.dispose()
  }
}
