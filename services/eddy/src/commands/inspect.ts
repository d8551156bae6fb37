import type { EventLog } from '@eddy/log'
import { addHashes, type LedgerEntry, type Snapshot } from '@eddy/messages'
import { identityOf, type Learnable, learnable, newestOfEachModel, snapshotJson, storedSnapshots } from '@eddy/model'
import { InputError } from '@eddy/records'
import { counted } from '@eddy/runtime'
import type { Configuration } from '@eddy/settings'
import { Command } from 'commander'
import { fixed } from '../command-line/figures.ts'
import { table } from '../command-line/table.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { ingestedOnce } from './ingested-once.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'
import { snapshotTable } from './snapshot-table.ts'
import { totals } from './totals.ts'
import { findSnapshot, type WantedSnapshot, wantedSnapshot } from './wanted-snapshot.ts'

interface InspectFlags extends LogFlags {
  readonly ledger?: true
  readonly snapshot?: WantedSnapshot
  readonly compare?: true
  readonly model?: string
  readonly json?: true
}

/** `eddy inspect`: the newest snapshot and its ledger, also while `eddy up` runs. */
export function inspectCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('inspect')
    .description('Show the newest snapshot and its ledger, even while `eddy up` runs.')
    .option('--model <name>', 'name of the model (default: the configured one, or the only one there is)')
    .option('--ledger', 'only the ledger: the next offset, count and hash of what was learned, for each partition')
    .option('--snapshot <model@version>', 'with --ledger: of this snapshot, if it is still stored', wantedSnapshot)
    .option(
      '--compare',
      'with --ledger: check it against the vectors and events in the log; exit code 1 if they differ',
    )
    .option('--json', 'everything, bit for bit, as one JSON object; with --ledger one per partition')
    .action((flags: InspectFlags) => inspect(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy inspect', 'segments, ledger and totals'],
    [
      'eddy inspect --ledger --compare',
      'whether every event in the log was learned exactly once, as far as the ledger reaches',
    ],
  ])
}

async function chosen(
  log: EventLog,
  configuration: Configuration,
  { model, snapshot, ledger, json }: InspectFlags,
  terminal: Terminal,
): Promise<Snapshot> {
  const {
    topics,
    model: { name: configured },
    log: { directory },
  } = configuration
  if (snapshot !== undefined)
    return findSnapshot(await storedSnapshots(log, topics.snapshots, message => note(terminal, message)), snapshot)
  const onDamage = (message: string): void => note(terminal, message)
  const stored = await newestOfEachModel({ log, topic: topics.snapshots, onDamage })
  const wanted = model ?? configured
  const found = stored.find(each => each.model === wanted)
  if (found !== undefined) return found
  if (model === undefined && stored.length === 1) return stored[0]!
  if (stored.length === 0) {
    const { events, labels, deadLetters } = await totals(log, configuration, undefined)
    if (json === true && ledger !== true)
      await print(
        terminal,
        `${JSON.stringify({ model: wanted, version: null, events, labels, deadLetters, segments: [] })}\n`,
      )
    throw new InputError(
      `${directory}: expected a snapshot, got none of ${counted(events, 'event')} so far. Is the model still warming up?`,
    )
  }
  throw new InputError(`model: expected one of ${stored.map(each => each.model).join(', ')}, got ${wanted}.`)
}

async function showLedger(
  log: EventLog,
  configuration: Configuration,
  snapshot: Snapshot,
  { compare, json }: InspectFlags,
  terminal: Terminal,
): Promise<void> {
  const { topics } = configuration
  const { model, version, ledger } = snapshot
  const stored = compare === true ? await learnable(log, topics.features, snapshot) : undefined
  const rows = ledger.map(entry => ledgerRow(entry, stored?.get(entry.partition)))
  if (json === true)
    await print(terminal, rows.map(row => `${JSON.stringify({ model, version: Number(version), ...row })}\n`).join(''))
  else {
    const cells = rows.map(row => Object.values(row).map(String))
    await print(terminal, `${model}@${version}\n${table(Object.keys(rows[0] ?? {}), cells)}\n`)
  }
  const different = rows.filter(row => 'verdict' in row && row.verdict === 'different')
  if (different.length > 0)
    throw new InputError(
      `ledger: expected what ${topics.features} holds, got other events for partitions ${different.map(({ partition }) => partition).join(', ')}. Keep a copy of the log and report it.`,
    )
  if (compare !== true) return
  const wrong = (await ingestedOnce(log, configuration)).filter(each => each.vectors + each.deadLetters !== each.events)
  if (wrong.length > 0)
    throw new InputError(
      wrong
        .map(
          ({ partition, events, vectors, deadLetters }) =>
            `${topics.features}/${partition}: expected a vector or a dead letter of each of ${counted(events, 'event')}, got ${counted(vectors, 'vector')} and ${counted(deadLetters, 'dead letter')}.`,
        )
        .join(' '),
    )
}

const hex = (hash: bigint): string => hash.toString(16).padStart(16, '0')

function ledgerRow({ partition, next, events, offsetsHash, skipped = 0 }: LedgerEntry, stored: Learnable | undefined) {
  const row = { partition, next, events: Number(events), ...(skipped > 0 && { skipped }), hash: hex(offsetsHash) }
  if (stored === undefined) return row
  return {
    ...row,
    inLog: stored.events,
    hashInLog: hex(stored.offsetsHash),
    verdict: verdictOf(Number(events), offsetsHash, stored),
  }
}

function verdictOf(events: number, offsetsHash: bigint, { start, erased, ...stored }: Learnable): string {
  if (stored.events === events && stored.offsetsHash === offsetsHash) return 'equal'
  const both = addHashes(stored.offsetsHash, erased.offsetsHash)
  if (stored.events + erased.events === events && both === offsetsHash) return `equal, ${erased.events} erased`
  // What retention has dropped was learned, but cannot be counted any more.
  return start > 0 ? `the log begins at ${start}` : 'different'
}

async function inspect(flags: InspectFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal, { readOnly: true })
  try {
    const snapshot = await chosen(log, configuration, flags, terminal)
    if (flags.ledger === true) return await showLedger(log, configuration, snapshot, flags, terminal)
    if (flags.json === true) return await print(terminal, `${JSON.stringify(snapshotJson(snapshot))}\n`)
    const { events, labels, deadLetters } = await totals(log, configuration, snapshot)
    const ledger = snapshot.ledger.map(
      entry =>
        `  partition ${entry.partition}: learned ${counted(entry.events, 'event')}, next offset ${entry.next}, offsets hash ${hex(entry.offsetsHash)}${entry.skipped === undefined ? '' : `; ${counted(entry.skipped, 'offset')} skipped, gone before they could be learned`}`,
    )
    const lines = [
      `model ${snapshot.model}, snapshot ${snapshot.version}, step ${snapshot.step}, ${new Date(snapshot.createdAt).toISOString()}`,
      `${counted(events, 'event')}, ${counted(labels, 'label')}, ${counted(deadLetters, 'dead letter')}`,
      ...(snapshot.provisional ? ['provisional: learned from the first events, while more of them are awaited'] : []),
      `prequential log-likelihood ${fixed(snapshot.prequentialLogLikelihood, 4)} nats/event, effective sample size ${fixed(snapshot.effectiveSampleSize, 0)}`,
      `identity ${identityOf(snapshot)}`,
      'ledger:',
      ...ledger,
    ]
    await print(terminal, `${lines.join('\n')}\n${await snapshotTable(log, configuration.topics.labels, snapshot)}`)
  } finally {
    await log.close()
  }
}
