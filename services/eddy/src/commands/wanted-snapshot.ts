import type { Snapshot } from '@eddy/messages'
import { InputError } from '@eddy/records'
import { InvalidArgumentError } from 'commander'

/** A stored snapshot by model and version. */
export interface WantedSnapshot {
  readonly model: string
  readonly version: bigint | undefined
}

/** @throws InputError that lists what is stored */
export function findSnapshot(snapshots: readonly Snapshot[], { model, version }: WantedSnapshot): Snapshot {
  const found = snapshots
    .filter(snapshot => snapshot.model === model && (version === undefined || snapshot.version === version))
    .at(-1)
  if (found !== undefined) return found
  const stored = snapshots.map(snapshot => `${snapshot.model}@${snapshot.version}`)
  throw new InputError(
    `model: expected one of ${stored.join(', ') || '(none stored)'}, got ${model}${version === undefined ? '' : `@${version}`}.`,
  )
}

/** Parser of `model` or `model@version`. */
export function wantedSnapshot(text: string): WantedSnapshot {
  const [, model, version] = /^([a-zA-Z0-9._-]{1,100})(?:@(\d{1,18}))?$/.exec(text) ?? []
  if (model === undefined) throw new InvalidArgumentError(`expected model or model@version, got ${text}.`)
  return { model, version: version === undefined ? undefined : BigInt(version) }
}

/** Parser of `model@version`, for what must not fall on the newest by mistake. */
export function wantedVersion(text: string): WantedSnapshot {
  const wanted = wantedSnapshot(text)
  if (wanted.version === undefined)
    throw new InvalidArgumentError(`expected model@version, got ${text}. See \`eddy models list\`.`)
  return wanted
}
