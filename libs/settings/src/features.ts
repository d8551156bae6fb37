import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ColumnPlan, type InputRecord, planColumns, readRecords } from '@eddy/records'
import { ConfigurationError } from '@eddy/runtime'
import type { Configuration, Feature } from './configuration.ts'

const keptName = 'features.json'

/** The features, and what becomes of every column of the replayed file. */
export interface PlannedFeatures {
  readonly features: readonly Feature[]
  /** absent without a file that can be looked at before it is read */
  readonly plan?: ColumnPlan
}

const rolesWith = (key: string): ReadonlyMap<string, string> =>
  new Map([
    [key, 'names the customer'],
    ['time', 'tells when'],
    ['weight', 'tells how much an event counts'],
  ])

/**
 * The features that are learned: those of the configuration; else those an earlier run kept in the data directory; else
 * every number in the first events of the replayed file, which are then kept.
 * @param key name of the value that identifies the customer
 * @throws {ConfigurationError} when there is nothing to take them from
 */
export async function featuresOf(
  { features, log }: Configuration,
  replayed: string | undefined,
  key = 'customer',
): Promise<PlannedFeatures> {
  const known = features !== undefined && features.length > 0 ? features : keptFeatures(log.directory)
  if (replayed === undefined || replayed === '-') {
    if (known !== undefined) return { features: known }
    throw new ConfigurationError([
      'features: expected a list of features (name, type, transform), got none. Name a configuration with --config, or a file to take them from with --replay.',
    ])
  }
  const plan = planColumns(await firstRecords(replayed), { roles: rolesWith(key), features: known })
  if (known !== undefined) return { features: known, plan }
  const columns = plan.columns.map(column =>
    column.type !== undefined && column.missing === plan.records
      ? { ...column, type: undefined, reason: 'empty in the records looked at' }
      : column,
  )
  const found = columns
    .filter(({ type }) => type !== undefined)
    .map(({ name }): Feature => ({ name, type: 'number', transform: 'auto', required: false }))
  if (found.length === 0) {
    throw new ConfigurationError([
      `features: expected numbers beside \`${key}\` in ${replayed}, got none. Declare the features in a configuration (--config).`,
    ])
  }
  mkdirSync(log.directory, { recursive: true, mode: 0o700 })
  writeFileSync(join(log.directory, keptName), `${JSON.stringify(found, undefined, 2)}\n`, { mode: 0o600 })
  return { features: found, plan: { ...plan, columns } }
}

/** Names of the features of the configuration, or else those kept in the data directory; none where there are neither. */
export function knownFeatures({ features, log }: Configuration): readonly string[] {
  return (features ?? keptFeatures(log.directory) ?? []).map(({ name }) => name)
}

function keptFeatures(directory: string): readonly Feature[] | undefined {
  const kept = join(directory, keptName)
  return existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as Feature[]) : undefined
}

/** The first records of a file; lines that are none are left to ingest. */
async function firstRecords(path: string): Promise<readonly InputRecord[]> {
  for await (const batch of (await readRecords(path, { onInvalid: () => {} })).batches) return batch
  return []
}
