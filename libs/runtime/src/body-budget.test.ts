import { expect, it } from 'vitest'
import { BodyBudget } from './body-budget.ts'
import type { BodyError } from './body-error.ts'
import { BodyShare } from './body-share.ts'

const megabyte = 1 << 20

function budgetOf(bytes: number) {
  const budget = new BodyBudget(bytes)
  let now = 0
  const open = () => {
    const refused: BodyError[] = []
    return {
      share: new BodyShare(budget, () => now, refused.push.bind(refused) as (error: BodyError) => void),
      refused,
    }
  }
  return { budget, open, pass: (ms: number) => (now += ms) }
}

it('all bodies together take no more than there is, and give it back', () => {
  const { budget, open } = budgetOf(8 * megabyte)
  const [a, b] = [open().share, open().share]
  a.take(4 * megabyte)
  expect(() => b.take(4 * megabyte)).toThrow('expected memory for it, got none')
  expect(b.bytes).toBe(0)
  b.take(3 * megabyte)
  a.finish()
  expect(budget.taken).toBe(7 * megabyte)
  for (const share of [a, b, a]) share.release()
  expect(budget.taken).toBe(0)
})

it('an eighth is for small bodies alone', () => {
  const { open } = budgetOf(8 * megabyte)
  open().share.take(7 * megabyte)
  const large = open().share
  large.take(60_000)
  expect(() => large.take(60_000)).toThrow('http.maxBodiesBytes')
  for (let i = 0; i < 14; i++) open().share.take(65_536)
  expect(() => open().share.take(200_000)).toThrow('http.maxBodiesBytes')
})

it('the longest stalled body gives way to whoever needs its memory, and only then', () => {
  const { budget, open, pass } = budgetOf(8 * megabyte)
  const [first, second, done, lively] = [open(), open(), open(), open()]
  first.share.take(2 * megabyte)
  second.share.take(2 * megabyte)
  done.share.take(megabyte)
  done.share.finish()
  lively.share.take(megabyte)
  pass(500)
  second.share.received(65_536)
  expect(() => open().share.take(2 * megabyte)).toThrow()
  pass(600)
  lively.share.received(65_536)
  // A trickle is no progress.
  first.share.received(1000)
  const others = [open().share, open().share]
  others[0]!.take(2 * megabyte)
  expect(first.refused).toMatchObject([{ statusCode: 503 }])
  expect(second.refused).toEqual([])
  pass(500)
  others[1]!.take(2 * megabyte)
  expect(second.refused).toHaveLength(1)
  pass(10_000)
  for (const share of [lively.share, ...others]) share.received(65_536)
  expect(() => open().share.take(2 * megabyte)).toThrow()
  expect([done.refused, lively.refused]).toEqual([[], []])
  expect(budget.taken).toBe(6 * megabyte)
})
