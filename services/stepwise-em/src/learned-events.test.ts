import type { Delivery, EventLog, From, StoredRecord } from '@eddy/log'
import { featureVectorCodec } from '@eddy/messages'
import { from } from 'rxjs'
import { expect, it } from 'vitest'
import { type EventRange, learnedEvents } from './learned-events.ts'
import { delivery } from './testing.ts'

const START = [20, 0]
const END = [5000, 9000]

/** The feature of a record is its offset plus its partition's number × 10,000. */
const record = (partition: number, offset: number): StoredRecord => ({
  offset,
  key: null,
  value: featureVectorCodec.encode({
    customer: 'c',
    time: 0,
    weight: 1,
    features: Float64Array.of(10_000 * partition + offset),
  }),
  headers: {},
  timestamp: 0,
})

/** Deliveries of 300 records, as a map of offsets says: all partitions, to their ends. */
const log: Pick<EventLog, 'consume' | 'offsets'> = {
  offsets: async () => [0, 1].map(partition => ({ partition, start: START[partition]!, end: END[partition]! })),
  consume: (_, options) => {
    const begins = options?.from as Exclude<From, string>
    const deliveries: Delivery[] = []
    for (const [partition, begin] of begins)
      for (let at = begin; at < END[partition]!; at += 300) {
        const count = Math.min(300, END[partition]! - at)
        const records = Array.from({ length: count }, (_, i) => record(partition, at + i))
        deliveries.push(delivery(records, { partition, endOffset: END[partition]! }))
      }
    return from(deliveries)
  },
}
const events = learnedEvents(log, 'features', { columns: 1, identity: 0 })

async function visited(...ranges: EventRange[]): Promise<number[][]> {
  const seen: number[][] = []
  await events.visit(ranges, ({ values }) => {
    seen.push([...values])
  })
  return seen
}

it('visits the events of ranges, all of them and no others, cut alike however they are delivered', async () => {
  const seen = await visited({ partition: 1, from: 10, to: 8510 }, { partition: 0, from: 20, to: 21 })
  expect(seen.map(({ length }) => length)).toEqual([4096, 4096, 308, 1])
  expect(seen.flat()).toEqual([...Array.from({ length: 8500 }, (_, i) => 10_010 + i), 20])
  expect(await visited({ partition: 0, from: 30, to: 30 })).toEqual([])
})

it('the newest are as many of each partition, up to where each was learned, and only those that are stored', async () => {
  const entry = (partition: number, next: number) =>
    [partition, { partition, next, events: 0n, offsetsHash: 0n }] as const
  expect(await events.newest(new Map([entry(0, 60), entry(1, 7000)]), 101)).toEqual([
    { partition: 0, from: 20, to: 60 },
    { partition: 1, from: 6949, to: 7000 },
  ])
})
