import { loadConfiguration } from '@eddy/runtime'
import { type Configuration, configurationSchema } from '@eddy/settings'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../command-line/exit-code.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { type KnownForm, keptForm } from './kept-form.ts'

/** Flags of every command that works on a log. */
export interface LogFlags {
  readonly config?: string
  readonly dataDir?: string
  readonly brokers?: string
  readonly kafkaClient?: string
}

export const withLogOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'configuration (YAML); see `eddy validate`')
    .option('--data-dir <directory>', 'use the embedded log that is kept there (default .eddy)')
    .option('--brokers <host:port,…>', 'use Kafka, as KAFKA_BROKERS and kafka.brokers do')
    .option('--kafka-client <client>', 'kafkajs or platformatic (KAFKA_CLIENT)')

/** Who names brokers means Kafka. */
export function impliedByBrokers(value: (path: string) => unknown): Readonly<Record<string, unknown>> {
  const kind = value('log.kind') ?? (value('kafka.brokers') === undefined ? 'embedded' : 'kafka')
  return kind === 'kafka' ? { 'log.kind': kind } : {}
}

/** @param form of the model that a stream is to begin with; else the one that it began with, if that is kept in the data directory */
export function configurationOf(
  { config, dataDir, brokers, kafkaClient }: LogFlags,
  { environment }: Terminal,
  flags: Readonly<Record<string, unknown>> = {},
  form?: KnownForm,
): Configuration {
  if (dataDir !== undefined && (brokers !== undefined || flags['log.kind'] === 'kafka'))
    throw new UsageError('--data-dir: expected it for the embedded log only, got it for Kafka. Leave it out.')
  const load = (known: KnownForm | undefined): Configuration =>
    loadConfiguration(configurationSchema, {
      ...(config === undefined ? {} : { file: config }),
      environment,
      known,
      implied: impliedByBrokers,
      flags: {
        ...(dataDir === undefined ? {} : { 'log.kind': 'embedded', 'log.directory': dataDir }),
        'kafka.client': kafkaClient,
        ...(brokers === undefined ? {} : { 'log.kind': 'kafka', 'kafka.brokers': brokers.split(',') }),
        ...flags,
      },
    })
  const configuration = load(form)
  const { log, model } = configuration
  const kept = form === undefined && log.kind === 'embedded' ? keptForm(log.directory, model.name) : undefined
  return kept === undefined ? configuration : load(kept)
}

/** What a stage does where records that it was to read next are gone (`log.onGap`). */
export interface GapFlag {
  readonly onGap?: 'fail' | 'skip'
}

export const withGapOption = (command: Command): Command =>
  command.addOption(
    new Option(
      '--on-gap <what>',
      'where retention has dropped what was to be read next: fail (default), or skip it, which is told and counted; what the model missed is in the ledger',
    ).choices(['fail', 'skip']),
  )

/** A topic by its configured name or by its role (`labels` is `eddy.labels.v1`). */
export function topicName({ topics }: Configuration, text: string): string {
  return text in topics ? topics[text as keyof typeof topics] : text
}

/** Parser of a port. */
export function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  throw new InvalidArgumentError(`expected a port from 0 to 65535, got ${text}.`)
}
