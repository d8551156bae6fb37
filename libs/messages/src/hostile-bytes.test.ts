import { expect, it } from 'vitest'
import { fuzz } from './testing/mutations.ts'

it('2,000 mutated messages: a value or a MessageError, at once', () => {
  const result = fuzz(2_000, 7)
  expect(result.decoded).toBeGreaterThan(100)
  expect(result.refused).toBeGreaterThan(100)
  expect(result.slowest).toBeLessThan(250)
})
