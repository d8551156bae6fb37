import {
  type FeatureColumn,
  type FeatureOptions,
  type FeatureStream,
  type InputError,
  type InputFormat,
  inputFormats,
  streamFeatures,
} from '@eddy/records'
import { type Command, Option } from 'commander'
import { UsageError } from '../command-line/exit-code.ts'
import { withReadingProgress } from '../command-line/progress.ts'
import { Refusals } from '../command-line/refusals.ts'
import { note, type Terminal } from '../command-line/terminal.ts'
import { addKernelOption, type KernelFlag } from './kernel-option.ts'

/** Values of the options that every command reading features has. */
export interface InputFlags extends KernelFlag {
  readonly input?: string
  readonly query?: string
  readonly format?: InputFormat
  readonly weight?: string
  readonly skipInvalid?: boolean
}

/** Adds `--input` and what belongs to it, and `--kernel`, as what is read is worked on. */
export function addInputOptions(command: Command): Command {
  return addKernelOption(command)
    .option(
      '--input <file>',
      'CSV, NDJSON (both also gzipped, zstd, UTF-16; - for standard input), Parquet or a JSON array',
    )
    .addOption(
      new Option(
        '--query <sql>',
        "instead of a file: DuckDB's SQL, e.g. \"SELECT * FROM 'a.parquet' WHERE spend > 0\"",
      ).conflicts('input'),
    )
    .addOption(new Option('--format <format>', 'detected if absent').choices(inputFormats))
    .option('--weight <column>', "column with an event's weight (> 0)")
    .option(
      '--skip-invalid',
      'leave out records with wrong values, too few or too many cells, or invalid JSON (reported on stderr)',
    )
}

/** The input as messages name it. @throws UsageError where there is none */
export function inputName({ input, query }: Pick<InputFlags, 'input' | 'query'>): string {
  if (input === undefined && query === undefined)
    throw new UsageError('expected --input FILE (- for standard input) or --query SQL, got neither')
  return input ?? 'the query'
}

/** Opens the input of a command, with its progress bar and the notes on skipped records. */
export async function openFeatures(
  terminal: Terminal,
  flags: InputFlags,
  features: readonly FeatureColumn[] | undefined,
  { label, types }: Pick<FeatureOptions, 'label' | 'types'> = {},
): Promise<FeatureStream> {
  const refusals = new Refusals(terminal, 'skipped')
  const stream = await streamFeatures(inputName(flags), {
    query: flags.query,
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
