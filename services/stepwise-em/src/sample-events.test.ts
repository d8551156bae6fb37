import { random } from '@eddy/mixture'
import { ledgerOf } from '@eddy/model'
import { expect, it } from 'vitest'
import { sampleEvents } from './sample-events.ts'
import { featureRecords, learnedFrom } from './testing.ts'

const events = learnedFrom(featureRecords(3000))
const ledger = ledgerOf([{ partition: 0, next: 3000, events: 3000n, offsetsHash: 0n }])
const sampled = (size: number, most = 10_000) => sampleEvents(events, ledger, { size, most, random: random(1) })
const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0)

it('takes everything where it fits', async () => {
  const { block, weights } = await sampled(6000)
  expect(block.rows).toBe(3000)
  expect(weights.every(w => w === 1)).toBe(true)
})

it('takes the newest as they are, and of the older ones some that stand for all', async () => {
  const { block, weights } = await sampled(1000)
  expect(Math.abs(block.rows - 1000)).toBeLessThan(100)
  expect(weights.subarray(block.rows - 500).every(w => w === 1)).toBe(true)
  expect(weights[0]).toBeGreaterThan(4)
  expect(sum(weights)).toBeCloseTo(3000, 9)
  const all = await sampled(6000)
  const mean = ({ block: { rows, values }, weights: w }: typeof all) => {
    let total = 0
    for (let n = 0; n < rows; n++) total += w[n]! * values[2 * n]!
    return total / sum(w)
  }
  expect(Math.abs(mean({ block, weights }) - mean(all))).toBeLessThan(0.3)
  expect(await sampled(1000)).toEqual({ block, weights })
})

it('looks no further back than it may', async () => {
  const { block, weights } = await sampled(6000, 800)
  expect([block.rows, sum(weights)]).toEqual([800, 800])
})
