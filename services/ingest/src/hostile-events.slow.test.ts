import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { fuzzIngest } from './testing/hostile-events.ts'

const runs = Number(process.env.EDDY_FUZZ ?? 100_000)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What is kept, after a collection, MiB. */
function retained(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

it(`${runs} mutated events: each is a feature vector or a dead letter, as an independent decoder says`, async () => {
  await fuzzIngest(20_000, 1)
  const before = retained()
  const began = performance.now()
  const { accepted, refused, slowest } = await fuzzIngest(runs, Number(process.env.EDDY_SEED ?? Date.now() & 0xffff))
  const seconds = (performance.now() - began) / 1000
  const kept = retained() - before
  console.log(
    `${accepted} feature vectors, ${refused} dead letters in ${seconds.toFixed(0)} s; slowest thousand ${slowest.toFixed(1)} ms, ${kept.toFixed(2)} MiB kept`,
  )
  expect(accepted + refused).toBe(runs)
  expect(slowest).toBeLessThan(1000)
  expect(kept).toBeLessThan(10)
})
