import { expect, it } from 'vitest'
import { fuzzIngest } from './testing/hostile-events.ts'

const runs = Number(process.env.EDDY_FUZZ ?? 100_000)

it(`${runs} mutated events: each is a feature vector or a dead letter, as an independent decoder says`, async () => {
  await fuzzIngest(2_000, 1)
  const before = process.memoryUsage().rss
  const began = performance.now()
  const { accepted, refused, slowest } = await fuzzIngest(runs, Number(process.env.EDDY_SEED ?? Date.now() & 0xffff))
  const seconds = (performance.now() - began) / 1000
  const grown = (process.memoryUsage().rss - before) / 2 ** 20
  console.log(
    `${accepted} feature vectors, ${refused} dead letters in ${seconds.toFixed(0)} s; slowest thousand ${slowest.toFixed(1)} ms, RSS +${grown.toFixed(0)} MiB`,
  )
  expect(accepted + refused).toBe(runs)
  expect(slowest).toBeLessThan(1000)
  expect(grown).toBeLessThan(300)
})
