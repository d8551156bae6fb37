import type { Delivery, EventLog, StoredRecord } from '@eddy/log'
import { lastValueFrom, Subject, toArray } from 'rxjs'
import { expect, it, vi } from 'vitest'
import { snapshotRecords } from './snapshot-records.ts'
import { followSnapshots } from './snapshots.ts'
import { firstSnapshot } from './testing.ts'

const first = firstSnapshot()
const recordsOf = (version: bigint, step: bigint, from: number): StoredRecord[] =>
  snapshotRecords({ ...first, version, step, epoch: 0n }, 1_000_000).map(({ key, value, headers = {} }, i) => ({
    offset: from + i,
    key,
    value,
    headers,
    timestamp: 0,
  }))

/** A snapshots topic that holds these versions, and to which others are published. */
function topicOf(...stored: readonly bigint[]) {
  const live = new Subject<Delivery>()
  const acknowledged: number[] = []
  let end = 0
  const delivery = (version: bigint, step = version): Delivery => {
    const records = recordsOf(version, step, end)
    end += records.length
    const nextOffset = end
    const ack = () => acknowledged.push(nextOffset)
    return { topic: 'snapshots', partition: 0, records, nextOffset, endOffset: nextOffset, ack }
  }
  const before = stored.map(version => delivery(version))
  const consume: EventLog['consume'] = vi.fn((_, { untilEnd }) => {
    if (untilEnd !== true) return live
    const past = new Subject<Delivery>()
    queueMicrotask(() => {
      for (const one of before) past.next(one)
      past.complete()
    })
    return past
  })
  return { log: { consume } as unknown as EventLog, consume, live, delivery, acknowledged, end: () => end }
}

it('gives the newest stored snapshot and then only newer ones, whatever is published', async () => {
  const { log, consume, live, delivery, acknowledged, end } = topicOf(2n, 4n, 3n)
  const storedEnd = end()
  const followed = lastValueFrom(
    followSnapshots({ log, topic: 'snapshots', model: 'test' }, new AbortController().signal).pipe(toArray()),
  )
  await vi.waitFor(() => expect(live.observed).toBe(true))
  expect(consume).toHaveBeenLastCalledWith(
    'snapshots',
    expect.objectContaining({ from: new Map([[0, storedEnd]]), ahead: true }),
  )
  // A process that has lost its place goes on from version 3: what it publishes is not news, nor is version 5 told by it again.
  for (const [version, step] of [
    [4n, 90n],
    [3n, 91n],
    [5n, 5n],
    [5n, 92n],
    [4n, 93n],
    [7n, 7n],
    [6n, 94n],
  ] as const)
    live.next(delivery(version, step))
  live.complete()
  expect((await followed).map(({ version, step }) => [version, step])).toEqual([
    [4n, 4n],
    [5n, 5n],
    [7n, 7n],
  ])
  // Those that are passed over are acknowledged too: the next delivery comes after that.
  expect(acknowledged.at(-1)).toBe(end())
})
