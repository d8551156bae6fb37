import { type EventLog, LogError } from './event-log.ts'

/**
 * Lets whoever holds offsets go on only in the log they are of.
 * @param id that log's (`capabilities.identity`)
 * @throws {LogError} OTHER_LOG where it is another one; NO_IDENTITY where that cannot be told
 */
export async function sameLog({ capabilities }: Pick<EventLog, 'capabilities'>, id: string): Promise<void> {
  const own = await capabilities.identity?.()
  if (own === undefined)
    throw new LogError('log: expected one that has an id (the embedded log), got one that has none', {
      code: 'NO_IDENTITY',
    })
  if (own === id) return
  throw new LogError(
    `log: expected ${own}, got offsets of ${JSON.stringify(id)}: this log was made anew or restored since, and has other records at them. Begin with earliest or latest.`,
    { code: 'OTHER_LOG' },
  )
}
