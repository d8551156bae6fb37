import { Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { CountedHistogram } from './counted-histogram.ts'

test('a counted histogram writes what a histogram of single observations writes', async () => {
  const bounds = [0.01, 0.1, 1]
  const [name, help] = ['seconds', 'Time.']
  const single = new Registry()
  const counted = new Registry()
  const reference = new Histogram({ name, help, buckets: bounds, registers: [single] })
  const histogram = new CountedHistogram(name, help, bounds, [counted])
  expect(await counted.metrics()).toBe(await single.metrics())
  for (const [value, count] of [
    [0.01, 3],
    [0.0625, 2],
    [1, 1],
    [8, 4],
  ] as const) {
    for (let i = 0; i < count; i++) reference.observe(value)
    histogram.observe(value, count)
  }
  // Sums of so few are the same to the last bit here.
  expect(await counted.metrics()).toBe(await single.metrics())
  counted.resetMetrics()
  expect((await histogram.get()).values.every(({ value }) => value === 0)).toBe(true)
})
