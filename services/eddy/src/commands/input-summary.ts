import type { InputTotals } from '@eddy/ingest'
import { InputError } from '@eddy/records'
import { counted } from '@eddy/runtime'
import { percent } from '../command-line/figures.ts'

/** What a reader should know of a run's input: values that were missing, keys that are no features, events that were refused. */
export function inputLines({ accepted, missing, unknownKeys, refused }: InputTotals): readonly string[] {
  const share = (count: number): string => percent(Math.max(0.001, count / accepted))
  const absent = missing.filter(({ count }) => count > 0).map(({ name, count }) => `${name} ${share(count)}`)
  return [
    ...(absent.length > 0 ? [`Missing: ${absent.join(', ')} of ${counted(accepted, 'event')}.`] : []),
    ...(unknownKeys.length > 0
      ? [
          `Keys that are no features: ${unknownKeys.map(({ name, count }) => `${name} (${count}×)`).join(', ')}. Are they misspelt?`,
        ]
      : []),
    ...refused.map(
      ({ reason, count, message }) => `Refused for ${reason}: ${count.toLocaleString('en-US')}, e.g. ${message}`,
    ),
  ]
}

/** @throws {InputError} with the commonest reason, where events came and every one of them was refused */
export function failWithoutEvents({ accepted, refused }: InputTotals): void {
  const [commonest] = refused
  if (accepted > 0 || commonest === undefined) return
  const all = refused.reduce((sum, { count }) => sum + count, 0)
  throw new InputError(
    `events: expected at least one that can be used, got ${all} that were refused, most (${commonest.count}) for ${commonest.reason}: ${commonest.message}. See eddy dead-letters list.`,
  )
}
