import type { EventLog } from '@eddy/log'
import { readModel } from '@eddy/model'
import { counted, createLogger, plural, StageNeeds, shutdownSignal, untilAborted } from '@eddy/runtime'
import { type Configuration, featuresOf, groupName, openLog } from '@eddy/settings'
import { Command } from 'commander'
import { InterruptedError } from '../command-line/exit-code.ts'
import { Progress } from '../command-line/progress.ts'
import { Refusals } from '../command-line/refusals.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { beginningWith } from '../refuse-changed-form.ts'
import { EddyUp } from '../up.ts'
import { columnTable } from './column-table.ts'
import { failWithoutEvents, inputLines } from './input-summary.ts'
import { formOf, keepForm } from './kept-form.ts'
import { configurationOf, type GapFlag, type LogFlags, port, withGapOption, withLogOptions } from './log-options.ts'
import { snapshotTable } from './snapshot-table.ts'
import { tellStandstill } from './tell-standstill.ts'
import { totals } from './totals.ts'

interface UpFlags extends LogFlags, GapFlag {
  readonly replay?: string
  readonly key?: string
  readonly skipInvalid?: true
  readonly model?: string
  readonly exitWhenDrained?: true
  readonly json?: true
  readonly port?: number
}

/** `eddy up`: every service in one process on the embedded log. */
export function upCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('up')
    .description('Run everything in one process on the embedded log: no broker needed.')
    .option(
      '--replay <file>',
      'append the events of a file first: NDJSON, CSV, Parquet or a JSON array (`-` is standard input)',
    )
    .option('--key <name>', 'with --replay: the value that identifies the customer (default customer)')
    .option('--skip-invalid', 'with --replay: leave out what cannot be used, which otherwise goes to the dead letters')
    .option(
      '--model <model.json>',
      'begin with a model of eddy fit, if none is stored yet; its features, components and covariance are taken where the configuration says none',
    )
    .option('--exit-when-drained', 'end once every event is learned and labelled')
    .option('--json', 'print the totals of the data directory as one JSON object at the end')
    .option('--port <number>', 'HTTP port, 0 for any free one (default 7700)', port)
    .action((flags: UpFlags) => up(flags, terminal))
  return withExamples(withGapOption(withLogOptions(command)), [
    ['eddy up --replay purchases.csv --exit-when-drained', 'learn a file, label it, and end'],
    ['eddy up --config eddy.yaml', 'stay up; post events to http://127.0.0.1:7700/v1/events'],
  ])
}

async function up(flags: UpFlags, terminal: Terminal): Promise<void> {
  const stored = flags.model === undefined ? undefined : await readModel(flags.model)
  const form = stored && formOf(stored)
  const read = () => configurationOf(flags, terminal, { 'http.port': flags.port, 'log.onGap': flags.onGap }, form)
  const configuration = read()
  const { features, plan } = await featuresOf(configuration, flags.replay, flags.key)
  if (plan !== undefined) note(terminal, columnTable(plan, features))
  const logger = createLogger(configuration.logging.level)
  const shutdown = shutdownSignal()
  const stopping = 'Stopping: what is under way becomes durable first (Ctrl-C again ends at once).'
  shutdown.signal.addEventListener('abort', () => note(terminal, stopping), { once: true })
  const needs = new StageNeeds({ topics: configuration.topics, groupOf: stage => groupName(configuration, stage) })
  const log = await openLog(configuration, { logger, needed: needs.of })
  const initial =
    stored === undefined
      ? undefined
      : await beginningWith(stored, flags.model!, log, configuration, features).catch(async error => {
          await log.close()
          shutdown.dispose()
          throw error
        })
  if (form !== undefined && configuration.log.kind === 'embedded')
    keepForm(configuration.log.directory, configuration.model.name, form)
  const eddy = new EddyUp({
    initial,
    configuration,
    features,
    log,
    needs,
    logger,
    now: Date.now,
    replays: flags.replay !== undefined,
    signal: shutdown.signal,
    // The default port gives way to a free one; a chosen port does not.
    http: {
      ...configuration.http,
      reread: () => read().http,
      mayMove: flags.port === undefined && terminal.environment.EDDY_HTTP_PORT === undefined,
    },
  })
  try {
    const port = await eddy.start()
    const finished =
      !shutdown.signal.aborted && (await run(eddy, log, configuration, flags, port, shutdown.signal, terminal))
    await eddy.stop()
    // What was under way may have failed to become durable.
    await Promise.race([eddy.failed, Promise.resolve()])
    const summary = await totals(log, configuration, eddy.snapshot)
    if (flags.json === true) await print(terminal, `${JSON.stringify(summary)}\n`)
    const ended = shutdown.received()
    const warmingUp = eddy.snapshot === undefined && summary.events > 0
    if (ended !== undefined && (!finished || warmingUp)) throw new InterruptedError(ended)
    if (flags.json !== true && flags.exitWhenDrained === true)
      await print(terminal, await snapshotTable(log, configuration.topics.labels, eddy.snapshot))
    note(
      terminal,
      `${counted(summary.events, 'event')}, ${counted(summary.labels, 'label')}, ${counted(summary.deadLetters, 'dead letter')}, snapshot ${summary.snapshot}.`,
    )
    if (eddy.input !== undefined) {
      for (const line of inputLines(eddy.input)) note(terminal, line)
      if (!shutdown.signal.aborted) failWithoutEvents(eddy.input)
    }
  } finally {
    await eddy.stop()
    await log.close()
    shutdown.dispose()
  }
}

/** Does the work, and without `--exit-when-drained` stays until the signal. @returns whether the work was done */
async function run(
  eddy: EddyUp,
  log: EventLog,
  configuration: Configuration,
  flags: UpFlags,
  port: number | undefined,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<boolean> {
  const { http } = configuration
  const url = `${http.tls.cert === undefined ? 'http' : 'https'}://${http.host}:${port}`
  note(
    terminal,
    `Eddy is up: ${url} (POST /v1/events, GET /v1/labels, /metrics), data in ${configuration.log.directory}`,
  )
  const finished = await Promise.race([eddy.failed, work(eddy, flags, signal, terminal)])
  if (finished && flags.exitWhenDrained !== true) {
    await showTable(eddy, log, configuration, terminal, url)
    await Promise.race([eddy.failed, untilAborted(signal)])
  }
  return finished
}

/** Replays and drains, as the flags say. @returns false where a signal came first */
async function work(eddy: EddyUp, flags: UpFlags, signal: AbortSignal, terminal: Terminal): Promise<boolean> {
  if (flags.replay !== undefined) {
    const progress = new Progress(terminal, `Replaying ${flags.replay}`, 1000)
    const refusals = new Refusals(terminal, flags.skipInvalid === true ? 'skipped' : 'quarantined')
    const { skipped, appended } = await eddy
      .replay(flags.replay, {
        signal,
        key: flags.key,
        skipInvalid: flags.skipInvalid,
        onInvalid: reason => refusals.tell(reason),
        onProgress: share => progress.update(Math.round(1000 * share)),
      })
      .finally(() => progress.stop())
    refusals.end()
    if (signal.aborted) return false
    if (skipped > 0)
      note(
        terminal,
        `Resumed from the ledger: ${counted(skipped, 'event')} of ${flags.replay} ${plural(skipped, 'was')} there already, ${appended.toLocaleString('en-US')} ${plural(appended, 'is')} new.`,
      )
    else note(terminal, `Replayed ${counted(appended, 'event')} of ${flags.replay}.`)
  }
  if (flags.exitWhenDrained === true) return drained(eddy, terminal)
  return flags.replay === undefined ? true : eddy.settled()
}

/** As `EddyUp.drained`; says where the stages stand while nothing moves. */
async function drained(eddy: EddyUp, terminal: Terminal): Promise<boolean> {
  const stop = tellStandstill(
    () => eddy.standing(),
    lines => {
      for (const line of lines) note(terminal, `Not drained yet: ${line}.`)
    },
  )
  return eddy.drained().finally(stop)
}

async function showTable(
  eddy: EddyUp,
  log: EventLog,
  configuration: Configuration,
  terminal: Terminal,
  url: string,
): Promise<void> {
  if (eddy.snapshot === undefined)
    return note(terminal, 'No segments yet: the model waits for more events to begin with.')
  note(terminal, await snapshotTable(log, configuration.topics.labels, eddy.snapshot))
  const labels = `eddy tail --topic ${configuration.topics.labels} --data-dir ${configuration.log.directory}`
  note(
    terminal,
    [
      'What to try next:',
      `  curl -N '${url}/v1/labels?from=earliest'          every label, and new ones as they come`,
      `  npx @eddy/${labels}`,
      `  curl ${url}/v1/segments                            the segments now`,
      `  curl -H 'content-type: application/json' -d '{"customer":"me","features":{…}}' ${url}/v1/events`,
      'Ctrl-C stops; the next start goes on from the ledger.',
    ].join('\n'),
  )
}
