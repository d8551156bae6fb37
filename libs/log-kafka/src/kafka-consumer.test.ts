import type { ConsumeOptions } from '@eddy/log'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { complete } from './complete-answer.ts'
import type { KafkaDriver, MemberEvents } from './driver.ts'
import { KafkaLog } from './kafka-log.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A reader of a topic of one partition, and what its client library would tell. */
async function reader(options: ConsumeOptions = {}, position: () => number | undefined = () => undefined) {
  let member: MemberEvents | undefined
  let end = 0
  const starts: number[] = []
  const driver = {
    admin: {
      describe: async () => ({ partitions: 1, cleanup: 'delete' }),
      partitions: async () => 1,
      stablePosition: async () => position(),
      offsets: async () => [{ partition: 0, start: 0, end }],
    },
    join(_topic: string, _group: string | undefined, events: MemberEvents) {
      member = events
      return {
        start: (_: number, offset: number) => starts.push(offset),
        pause() {},
        resume() {},
        leave: async () => {},
      }
    },
    producer: () => ({ initialise: async () => {}, close: async () => {} }),
  } as unknown as KafkaDriver
  let read = 0
  let failure: string | undefined
  new KafkaLog(driver, 1e6).consume('t', { ...options }).subscribe({
    next: delivery => {
      read += delivery.records.length
      delivery.ack()
    },
    error: (error: Error) => {
      failure = error.message
    },
  })
  await vi.advanceTimersByTimeAsync(0)
  return {
    events: member as MemberEvents,
    append: () => end++,
    fetch: (offset: number) =>
      member?.fetched(0, offset, [{ offset, timestamp: 0, key: null, value: null, headers: {} }], offset + 1, end),
    after: async (seconds: number) => {
      await vi.advanceTimersByTimeAsync(1000 * seconds)
      return failure
    },
    read: () => read,
    starts,
  }
}

test('a member that the group never answers is stuck', async () => {
  const { after } = await reader()
  expect(await after(115)).toBeUndefined()
  expect(await after(40)).toMatch(/t: expected partitions from the group, got no answer for 120 s/)
})

test('so is one that is never answered again, with records at hand', async () => {
  const { events, append, fetch, after, read } = await reader()
  events.assigned([0], 'me')
  await after(1)
  void events.drain()
  append()
  fetch(0)
  expect(await after(50)).toBeUndefined()
  expect(await after(80)).toMatch(/t\/0: expected progress, got none for 60 s at offset 1 of 1/)
  expect(read()).toBe(0)
})

test('a partition that gets no records though there are some is stuck', async () => {
  const { events, append, after } = await reader()
  events.assigned([0], 'me')
  expect(await after(200)).toBeUndefined()
  append()
  expect(await after(55)).toBeUndefined()
  expect(await after(40)).toMatch(/t\/0: expected progress, got none for 60 s at offset 0 of 1/)
})

test('a record that comes after a long time does not make it stuck', async () => {
  const { events, append, fetch, after, read } = await reader()
  events.assigned([0], 'me')
  await after(200)
  for (let offset = 0; offset < 3; offset++) {
    append()
    // Seen by the watchdog before it is fetched.
    await after(45)
    fetch(offset)
    expect(await after(200)).toBeUndefined()
  }
  expect(read()).toBe(3)
})

test('who has yet to say where to begin may take its time', async () => {
  const { promise, resolve } = Promise.withResolvers<ReadonlyMap<number, number>>()
  const { events, append, after } = await reader({ from: () => promise })
  events.assigned([0], 'me')
  append()
  expect(await after(1000)).toBeUndefined()
  resolve(new Map())
  expect(await after(55)).toBeUndefined()
  expect(await after(70)).toMatch(/expected progress/)
})

test('a group without a position begins at the beginning; one whose position is not told begins nowhere', async () => {
  const without = await reader({ group: 'g' })
  without.events.assigned([0], 'me')
  expect(await without.after(0)).toBeUndefined()
  expect(without.starts).toEqual([0])
  const untold = await reader({ group: 'g' }, () => complete('position of g in t', [0], new Map<number, number>())[0])
  untold.events.assigned([0], 'me')
  expect(await untold.after(0)).toMatch(/^position of g in t: expected an answer for partition 0, got none/)
  expect(untold.starts).toEqual([])
})
