import { loadConfiguration } from '@eddy/runtime'
import type { Command } from 'commander'
import type { Terminal } from '../command-line/terminal.ts'
import { type Configuration, configurationSchema } from '../configuration.ts'

/** Flags of every command that works on a log. */
export interface LogFlags {
  readonly config?: string
  readonly dataDir?: string
}

export const withLogOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'configuration (YAML); see `eddy validate`')
    .option('--data-dir <directory>', 'where the embedded log is kept (default .eddy)')

export function configurationOf(
  { config, dataDir }: LogFlags,
  { environment }: Terminal,
  flags: Readonly<Record<string, unknown>> = {},
): Configuration {
  return loadConfiguration(configurationSchema, {
    ...(config === undefined ? {} : { file: config }),
    environment,
    flags: { 'log.directory': dataDir, ...flags },
  })
}

/** A topic by its configured name or by its role (`labels` is `eddy.labels.v1`). */
export function topicName({ topics }: Configuration, text: string): string {
  return text in topics ? topics[text as keyof typeof topics] : text
}
