import type { StartingJson } from '@eddy/mixture'
import { UsageError } from '../command-line/exit-code.ts'
import type { ModelFlags } from './model-options.ts'

/**
 * A model brings how its features entered it, since its means are in those units.
 * @throws UsageError where a flag says otherwise of one of them
 */
export function checkStartTreatment(
  { specification }: StartingJson,
  { transform, resolution }: Pick<ModelFlags, 'transform' | 'resolution'>,
): void {
  for (const { name, type, transform: had = 'none', resolution: width } of specification?.features ?? []) {
    if (type !== 'number') continue
    const wanted =
      transform === false
        ? 'none'
        : typeof transform === 'object'
          ? (transform.byName.get(name) ?? transform.all)
          : undefined
    // `auto` leaves it to be decided, which the model has done.
    if (wanted !== undefined && wanted !== 'auto' && wanted !== had) throw other('--transform', name, had, wanted)
    const cell = resolution?.get(name)
    if (cell !== undefined && cell !== width) throw other('--resolution', name, width ?? 'what was found', cell)
  }
}

const other = (flag: string, name: string, had: string | number, wanted: string | number): UsageError =>
  new UsageError(
    `${flag}: expected ${had} for ${name}, as the model of --init has it, got ${wanted}. Leave it out, or start from the data.`,
  )
