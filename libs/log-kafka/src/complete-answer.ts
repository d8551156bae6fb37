import { LogError } from '@eddy/log'

/** A broker's answer, or what a client library made of it, lacks something that was asked for: it is asked again. */
export class IncompleteAnswer extends LogError {
  readonly retriable = true
}

/**
 * What an answer says of each partition that was asked for, in their order. What an answer does not mention is not known: it is never
 * taken for "none", from which somebody would begin at the beginning.
 * @param what was asked for, e.g. `position of g in t`
 * @throws {IncompleteAnswer} when a partition is missing
 */
export function complete<T>(what: string, partitions: readonly number[], answer: ReadonlyMap<number, T>): T[] {
  return partitions.map(partition => {
    if (!answer.has(partition))
      throw new IncompleteAnswer(
        `${what}: expected an answer for partition ${partition}, got ${answer.size === 0 ? 'none' : `one for ${[...answer.keys()].join(', ')}`}. ` +
          'The client library or the broker is wrong about the topic: end the process and start again.',
      )
    return answer.get(partition)!
  })
}
