import { beforeEach, expect, it, vi } from 'vitest'
import { Turns } from './turns.ts'

/** Milliseconds that were waited between turns. */
const waits = vi.hoisted(() => [] as number[])
vi.mock('node:timers/promises', async original => ({
  ...(await original<typeof import('node:timers/promises')>()),
  setTimeout: async (milliseconds: number) => {
    waits.push(milliseconds)
  },
}))
beforeEach(() => {
  waits.length = 0
})

const work = (milliseconds: number): void => {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

it('runs work in order, one at a time, and passes results and errors on', async () => {
  const turns = new Turns()
  const order: number[] = []
  const results = await Promise.allSettled(
    [1, 2, 3].map(n =>
      turns.run(() => {
        order.push(n)
        if (n === 2) throw new Error('two')
        return n
      }),
    ),
  )
  expect(order).toEqual([1, 2, 3])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

it('leaves most of the time to others while many wait, and none while one does', async () => {
  const alone = new Turns()
  for (let n = 0; n < 10; n++) await alone.run(() => work(4))
  expect(waits).toEqual([])
  const crowd = new Turns()
  await Promise.all(Array.from({ length: 10 }, () => crowd.run(() => work(4))))
  expect(waits).toHaveLength(8)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(3 * 4)
})

it('counts what follows from the work at once, and readers who come back in the same turn of the event loop', async () => {
  const turns = new Turns()
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      await new Promise(resolve => setImmediate(resolve))
      await turns.run(() => {})
      work(4)
    }),
  )
  expect(waits).toHaveLength(8)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(3 * 4)
})
