import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

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
  const turns = new Turns()
  let began = performance.now()
  for (let n = 0; n < 10; n++) await turns.run(() => work(4))
  const alone = performance.now() - began
  began = performance.now()
  await Promise.all(Array.from({ length: 10 }, () => turns.run(() => work(4))))
  expect(performance.now() - began).toBeGreaterThan(Math.max(2 * 40, 1.5 * alone))
})
