import { expect, it } from 'vitest'
import { fuzz } from './testing/mutations.ts'

const runs = Number(process.env.EDDY_FUZZ ?? 100_000)

it(`${runs} mutated messages: a value or a MessageError, in bounded time and memory`, () => {
  fuzz(2_000, 1)
  const before = process.memoryUsage().rss
  const result = fuzz(runs, Date.now() & 0xffff)
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  console.log(
    `decoded ${result.decoded}, refused ${result.refused}, slowest ${result.slowest.toFixed(1)} ms, RSS +${grown.toFixed(0)} MiB`,
  )
  expect(result.slowest).toBeLessThan(500)
  expect(grown).toBeLessThan(300)
})
