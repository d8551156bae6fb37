import { describe, expect, test } from 'vitest'
import { logWith } from '../log-with.ts'
import { positionFromOutput } from '../position-from-output.ts'
import { freshName, freshTopic, Reader, record, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

export function resuming(context: Context): void {
  describe('a group whose positions are gone', () => {
    test('goes on after what its output shows; begins at the beginning where the output shows nothing', async () => {
      const { log } = context
      const [topic, output, group] = [await freshTopic(log, 3), await freshTopic(log, 3), freshName('g')]
      await log.publish([0, 1, 2].map(partition => ({ topic, records: records(5, partition) })))
      // Of partition 0 a group has done three; then others wrote a lot. Of partition 1 it has a position.
      const done = [1, 2, 3].map(next => record('ours', `${next}`, 0))
      await log.publish([{ topic: output, records: [...done, record('ours', '2', 1)] }])
      const others = Array.from({ length: 5000 }, () => record('theirs', '9', 0))
      await log.publish([{ topic: output, records: others }])
      const nextOffset = ({ key, value }: { key: Uint8Array | null; value: Uint8Array | null }) =>
        `${Buffer.from(key!)}` === 'ours' ? Number(Buffer.from(value!)) : undefined
      const forgetful = logWith(log, { positions: async () => new Map([[1, 4]]) })
      const from = positionFromOutput({ log: forgetful, topic, group, output, nextOffset })
      expect(await from([0, 1, 2])).toEqual(new Map([[0, 3]]))
      expect(await from([1])).toBe('position')
      const reader = new Reader(log.consume(topic, { group, from, untilEnd: true }))
      await reader.complete()
      expect([0, 1, 2].map(partition => reader.valuesOf(partition).length)).toEqual([2, 5, 5])
    })
  })
}
