import { expect, it } from 'vitest'
import { fuzz } from './testing/mutations.ts'

const runs = Number(process.env.EDDY_FUZZ ?? 100_000)

it(`${runs} mutated messages: a value or a MessageError, in bounded time and memory`, () => {
  fuzz(2_000, 1)
  const before = process.memoryUsage().rss
  const began = performance.now()
  const result = fuzz(runs, Number(process.env.EDDY_SEED ?? Date.now() & 0xffff))
  const seconds = (performance.now() - began) / 1000
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  console.log(
    `decoded ${result.decoded}, refused ${result.refused}, in ${seconds.toFixed(0)} s; slowest ${result.slowest.toFixed(1)} ms, largest ${(result.largest / 2 ** 20).toFixed(2)} MiB, RSS +${grown.toFixed(0)} MiB`,
  )
  expect(result.decoded + result.refused).toBe(runs)
  expect(result.largest).toBeLessThan(16 << 20)
  expect(result.slowest).toBeLessThan(500)
  expect(grown).toBeLessThan(300)
})
