import { LogError } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import { storedModelOf } from '@eddy/model'
import { type Configuration, type Feature, featuresOf } from '@eddy/settings'
import { Command } from 'commander'
import { UsageError } from '../command-line/exit-code.ts'
import { fixed, percent } from '../command-line/figures.ts'
import { table } from '../command-line/table.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { CandidateFile } from '../relearn/candidate-file.ts'
import { type Candidate, learnCandidate } from '../relearn/learn-candidate.ts'
import { promoteCandidate } from '../relearn/promote-candidate.ts'
import { formOf, keepForm } from './kept-form.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'

interface Flags extends LogFlags {
  readonly promote?: true
  readonly drop?: true
  readonly relabel?: true
  readonly json?: true
}

/** `eddy relearn`: the configured form, learned from stored events beside the stored model; then promoted or dropped. */
export function relearnCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('relearn')
    .description(
      'Learn a changed form (number of segments, covariance, features) from the stored events beside the stored model, even while `eddy up` runs, and compare the two. Then promote or drop it. Embedded log only.',
    )
    .option('--promote', 'make it the model, while nothing runs on the log; it goes on from what it has learned')
    .option('--relabel', 'with --promote: label what is stored once more with it, at the next start')
    .option('--drop', 'forget it')
    .option(
      '--json',
      'one JSON object {model, snapshot, form, heldOut, segments, born, gone}; with --promote {model, snapshot, segments, relabel}',
    )
    .action((flags: Flags) => relearn(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy relearn --config new.yaml', 'learn the form of new.yaml, and compare'],
    ['eddy relearn --config new.yaml --promote', 'go on with it: then `eddy up --config new.yaml`'],
    ['eddy relearn --drop', 'stay with the stored model'],
  ])
}

async function relearn(flags: Flags, terminal: Terminal): Promise<void> {
  const { promote, drop, relabel } = flags
  if (promote === true && drop === true) throw new UsageError('--drop: expected none beside --promote')
  if (relabel === true && promote !== true) throw new UsageError('--relabel: expected --promote beside it')
  const configuration = configurationOf(flags, terminal)
  if (configuration.log.kind !== 'embedded')
    throw new LogError(
      'relearn: expected the embedded log, got Kafka. Learn the other form under another model.name from the same topics (the same features, another number of segments or covariance), compare by `eddy models diff`, and run `eddy models promote`.',
    )
  const file = new CandidateFile(configuration.log.directory)
  if (drop === true) {
    file.drop()
    return note(terminal, 'Dropped: the stored model stays.')
  }
  const { features } = await featuresOf(configuration, undefined)
  await (promote === true ? goOn : compare)(flags, configuration, features, file, terminal)
}

async function compare(
  flags: Flags,
  configuration: Configuration,
  features: readonly Feature[],
  file: CandidateFile,
  terminal: Terminal,
): Promise<void> {
  const log = await openCommandLog(configuration, terminal, { readOnly: true })
  try {
    const candidate = await learnCandidate(log, configuration, features)
    const { stored, snapshot } = candidate
    file.keep({ ...snapshot, version: stored.version, epoch: stored.epoch })
    if (flags.json === true) return await print(terminal, `${JSON.stringify(comparisonJson(candidate))}\n`)
    await print(terminal, comparison(candidate))
    note(
      terminal,
      'To go on with it: stop `eddy up`, run this again with --promote (and --relabel, to label what is stored once more), and start with this configuration. Else: --drop.',
    )
  } finally {
    await log.close()
  }
}

async function goOn(
  { relabel = false, json }: { readonly relabel?: boolean; readonly json?: true },
  configuration: Configuration,
  features: readonly Feature[],
  file: CandidateFile,
  terminal: Terminal,
): Promise<void> {
  const candidate = file.read()
  const log = await openCommandLog(configuration, terminal)
  try {
    const promoted = await promoteCandidate(log, configuration, features, candidate, {
      relabel,
      now: Date.now(),
    })
    const { model, version, segments, specification, parameters } = promoted
    // Where a later configuration says nothing of the form, it is the one that was promoted.
    const form = { specification: JSON.parse(specification) as ModelSpecification, parameters, segmentIds: [], step: 0 }
    keepForm(configuration.log.directory, model, formOf(storedModelOf(form)))
    file.drop()
    const told = { model, snapshot: Number(version), segments: segments.map(({ id }) => id), relabel }
    if (json === true) await print(terminal, `${JSON.stringify(told)}\n`)
    else
      note(
        terminal,
        `${model}@${version} is the model that was learned anew: start with its configuration.${relabel ? ' What is stored gets labels once more.' : ''}`,
      )
  } finally {
    await log.close()
  }
}

/** What can differ between the forms of two models, in words. */
function inWords({ components, covariance, family, features }: ModelSpecification): Readonly<Record<string, string>> {
  return { segments: `${components}`, covariance, family, features: features.map(({ name }) => name).join(', ') }
}

const forms = ({ stored, snapshot }: Candidate) =>
  [stored, snapshot].map(({ specification }) => inWords(JSON.parse(specification) as ModelSpecification)) as [
    ReturnType<typeof inWords>,
    ReturnType<typeof inWords>,
  ]

/** Nats, with as many digits as their error gives meaning to. */
const DECIMALS = 4

/** Components of a snapshot in the order in which segments are listed. */
const heaviestFirst = ({ parameters: { weights } }: Snapshot): number[] =>
  [...weights!.keys()].sort((a, b) => weights![b]! - weights![a]!)

function comparison(candidate: Candidate): string {
  const { stored, snapshot, comparable, heldOut, before, after, gain, matching, changed } = candidate
  const [old, now] = forms(candidate)
  const nats = (value: number): string => (comparable ? fixed(value, DECIMALS) : '–')
  const rows = Object.keys(old).map(name => [name, old[name]!, now[name]!])
  rows.push(['log-likelihood of an event, nats', nats(before.mean), nats(after.mean)])
  const judged = comparable
    ? `gain ${fixed(gain.mean, DECIMALS)} ± ${fixed(gain.error, DECIMALS)} nats an event, on ${heldOut} events that were kept from the new one (the old one may have learned them)`
    : 'their log-likelihoods are of different things (features, atoms or cells), and cannot be compared'
  const J = stored.segments.length
  const columns = heaviestFirst(stored)
  const shares = heaviestFirst(snapshot).map(k => [
    changed.born.includes(snapshot.segments[k]!.id) ? `${snapshot.segments[k]!.id} (new)` : snapshot.segments[k]!.id,
    ...columns.map(j => percent(matching.shared[k * J + j]!)),
  ])
  return [
    table(['', `${stored.model}@${stored.version}`, 'learned anew'], rows),
    judged,
    '',
    'Share of events, by new segment (rows) and old segment (columns):',
    table(['', ...columns.map(j => stored.segments[j]!.id)], shares),
    '',
  ].join('\n')
}

function comparisonJson(candidate: Candidate): object {
  const { stored, snapshot, comparable, heldOut, before, after, gain, matching, changed } = candidate
  const [was, now] = forms(candidate)
  const J = stored.segments.length
  return {
    model: stored.model,
    snapshot: Number(stored.version),
    form: { stored: was, relearned: now },
    // Nats an event, on events that were kept from the new model.
    heldOut: comparable
      ? { events: heldOut, stored: before.mean, relearned: after.mean, gain: gain.mean, gainError: gain.error }
      : null,
    segments: snapshot.segments.map(({ id }, k) => ({
      id,
      sharedWith: Object.fromEntries(stored.segments.map((each, j) => [each.id, matching.shared[k * J + j]!])),
    })),
    ...changed,
  }
}
