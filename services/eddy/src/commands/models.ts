import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import {
  describeSegments,
  featureChanges,
  identityOf,
  snapshotJson,
  snapshotRecords,
  storedSnapshots,
} from '@eddy/model'
import { InputError } from '@eddy/records'
import { counted } from '@eddy/runtime'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'
import { findSnapshot, type WantedSnapshot, wantedSnapshot, wantedVersion } from './wanted-snapshot.ts'

interface Flags extends LogFlags {
  readonly json?: true
}

/** `eddy models list|show|diff|promote|rollback` on the snapshots topic. */
export function modelsCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('models').description('List, compare, promote and roll back stored snapshots.')
  const list = new Command('list')
    .description('The stored snapshots: the newest of each model, and its checkpoints until compaction drops them.')
    .option('--json', 'one JSON object per line')
    .action((flags: Flags) => withSnapshots(flags, terminal, snapshots => listModels(snapshots, flags, terminal)))
  const show = new Command('show')
    .description('Print a snapshot as JSON.')
    .argument('<model[@version]>', 'e.g. customers or customers@17', wantedSnapshot)
    .option('--json', 'what is printed: one JSON object')
    .action((which: WantedSnapshot, flags: Flags) =>
      withSnapshots(flags, terminal, snapshots =>
        print(terminal, `${JSON.stringify(snapshotJson(findSnapshot(snapshots, which)))}\n`),
      ),
    )
  const diff = new Command('diff')
    .description('Show how the segments of two snapshots differ: weights and centres by segment id.')
    .argument('<from>', 'model[@version]', wantedSnapshot)
    .argument('<to>', 'model[@version]', wantedSnapshot)
    .option('--json', 'what is printed: one JSON object with from, to, segments')
    .action((from: WantedSnapshot, to: WantedSnapshot, flags: Flags) =>
      withSnapshots(flags, terminal, snapshots =>
        print(
          terminal,
          `${JSON.stringify(difference(findSnapshot(snapshots, from), findSnapshot(snapshots, to)), undefined, 2)}\n`,
        ),
      ),
    )
  const promote = new Command('promote')
    .description(
      'Make what one model (e.g. a trial) has learned the newest snapshot of another, which keeps its ledger, so that nothing is learned twice.',
    )
    .argument('<from>', 'model[@version]', wantedSnapshot)
    .argument('<to>', 'the model that receives it')
    .action((from: WantedSnapshot, to: string, flags: Flags) => put(flags, terminal, from, to))
  const rollback = new Command('rollback')
    .description(
      'Go back to the parameters of an older snapshot of a model. What was learned since then stays in the ledger and is not learned again.',
    )
    .argument('<model@version>', 'e.g. customers@17', wantedVersion)
    .action((which: WantedSnapshot, flags: Flags) => put(flags, terminal, which, which.model))
  for (const sub of [list, show, diff, promote, rollback]) command.addCommand(withLogOptions(sub))
  return withExamples(command, [
    ['eddy models list', 'what is stored'],
    ['eddy models diff customers@17 customers', 'what changed since version 17'],
    ['eddy models rollback customers@17', 'while no updater runs'],
  ])
}

async function withSnapshots(
  flags: Flags,
  terminal: Terminal,
  use: (snapshots: readonly Snapshot[], log: EventLog) => Promise<void>,
  readOnly = true,
): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal, { readOnly })
  try {
    await use(await storedSnapshots(log, configuration.topics.snapshots, message => note(terminal, message)), log)
  } finally {
    await log.close()
  }
}

async function listModels(snapshots: readonly Snapshot[], flags: Flags, terminal: Terminal): Promise<void> {
  for (const snapshot of snapshots) {
    const { model, version, step, createdAt, segments } = snapshot
    const events = Number(snapshot.ledger.reduce((sum, entry) => sum + entry.events, 0n))
    const row = {
      model,
      version: Number(version),
      step: Number(step),
      events,
      segments: segments.length,
      createdAt: new Date(createdAt).toISOString(),
      identity: identityOf(snapshot),
    }
    await print(
      terminal,
      flags.json === true
        ? `${JSON.stringify(row)}\n`
        : `${model}@${version}  ${row.createdAt}  ${counted(events, 'event')}  ${counted(segments.length, 'segment')}  ${row.identity.slice(0, 12)}\n`,
    )
  }
}

function difference(from: Snapshot, to: Snapshot): object {
  const before = new Map(describeSegments(from).map(segment => [segment.id, segment]))
  const after = new Map(describeSegments(to).map(segment => [segment.id, segment]))
  const ids = [...new Set([...before.keys(), ...after.keys()])]
  return {
    from: `${from.model}@${from.version}`,
    to: `${to.model}@${to.version}`,
    segments: ids.map(id => ({ id, before: before.get(id) ?? null, after: after.get(id) ?? null })),
  }
}

/** All models of a log read the same feature vectors. @throws InputError that names both, where one model's have another meaning */
function refuseOtherFeatures(chosen: Snapshot, current: Snapshot | undefined): void {
  if (current === undefined) return
  const featuresIn = ({ specification }: Snapshot) => (JSON.parse(specification) as ModelSpecification).features
  const [change] = featureChanges(featuresIn(current), featuresIn(chosen))
  if (change !== undefined)
    throw new InputError(
      `${change.setting}: expected ${change.stored}, as in ${current.model}@${current.version}, got ${change.configured} in ${chosen.model}@${chosen.version}. Choose a model of the same features.`,
    )
}

/** Publishes the parameters of one snapshot as the newest of `to`, with the ledger that `to` has. */
async function put(flags: Flags, terminal: Terminal, which: WantedSnapshot, to: string): Promise<void> {
  const { topics, log: limits } = configurationOf(flags, terminal)
  await withSnapshots(
    flags,
    terminal,
    async (snapshots, log) => {
      const chosen = findSnapshot(snapshots, which)
      const current = snapshots.filter(({ model }) => model === to).at(-1)
      refuseOtherFeatures(chosen, current)
      const { ledger, statisticsOffset, version } = current ?? { ...chosen, version: 0n }
      const next: Snapshot = {
        ...chosen,
        model: to,
        version: version + 1n,
        // Statistics under way are of the components that these replace.
        epoch: version + 1n,
        createdAt: Date.now(),
        ledger,
        statisticsOffset,
      }
      await log.publish([{ topic: topics.snapshots, records: snapshotRecords(next, limits.maxRecordBytes) }])
      note(
        terminal,
        `${to}@${next.version} is ${chosen.model}@${chosen.version}. Updaters take it up when they start; stop and start them.`,
      )
    },
    false,
  )
}
