import {
  type FeatureColumn,
  type FeatureOptions,
  type FeatureStream,
  type InputError,
  type InputFormat,
  streamFeatures,
} from '@eddy/records'
import { type Command, Option } from 'commander'
import { withReadingProgress } from '../command-line/progress.ts'
import { Refusals } from '../command-line/refusals.ts'
import { note, type Terminal } from '../command-line/terminal.ts'
import { addKernelOption, type KernelFlag } from './kernel-option.ts'

/** Values of the options that every command reading features has. */
export interface InputFlags extends KernelFlag {
  readonly input: string
  readonly format?: InputFormat
  readonly weight?: string
  readonly skipInvalid?: boolean
}

/** Adds `--input` and what belongs to it, and `--kernel`, as what is read is worked on. */
export function addInputOptions(command: Command): Command {
  return addKernelOption(command)
    .requiredOption('--input <file>', 'NDJSON or CSV, gzipped or not; - for standard input')
    .addOption(new Option('--format <format>', 'detected if absent').choices(['csv', 'ndjson']))
    .option('--weight <column>', "column with an event's weight (> 0)")
    .option(
      '--skip-invalid',
      'leave out records with wrong values, too few or too many cells, or invalid JSON (reported on stderr)',
    )
}

/** Opens the input of a command, with its progress bar and the notes on skipped records. */
export async function openFeatures(
  terminal: Terminal,
  flags: InputFlags,
  features: readonly FeatureColumn[] | undefined,
  { label, types }: Pick<FeatureOptions, 'label' | 'types'> = {},
): Promise<FeatureStream> {
  const refusals = new Refusals(terminal, 'skipped')
  const stream = await streamFeatures(flags.input, {
    features,
    types,
    label,
    onPlan: plan => {
      for (const { name, reason } of plan.columns)
        if (reason !== undefined) note(terminal, `eddy: left out ${name} (${reason})`)
    },
    weight: flags.weight,
    skipInvalid: flags.skipInvalid,
    format: flags.format,
    stdin: terminal.stdin,
    onSkip: ({ message }: InputError) => refusals.tell(message),
  })
  async function* batches() {
    yield* withReadingProgress(terminal, stream.records.input, stream.batches)
    refusals.end()
  }
  return { ...stream, batches: batches() }
}
