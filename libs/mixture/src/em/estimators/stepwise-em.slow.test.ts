import { expect, test } from 'vitest'
import { median, onePassElki } from '../../../test/one-pass-elki.ts'

test('one pass over the ELKI mixture, 100k events, 100 seeds: at the Bayes rule', () => {
  const runs = Array.from({ length: 100 }, (_, seed) => onePassElki(100_000, seed))
  const ours = runs.map(r => r.ours)
  const bayes = median(runs.map(r => r.bayes))
  console.log(
    `median ARI ${median(ours).toFixed(6)}, Bayes rule ${bayes.toFixed(6)}, worst ${Math.min(...ours).toFixed(6)}`,
  )
  expect(median(ours)).toBeGreaterThanOrEqual(bayes - 2e-4)
  expect(Math.min(...ours)).toBeGreaterThanOrEqual(0.999)
})
