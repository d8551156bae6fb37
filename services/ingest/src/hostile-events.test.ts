import { describe, expect, it } from 'vitest'
import { Refusal } from './refusal.ts'
import { fuzzIngest } from './testing/hostile-events.ts'
import { toFeatureVector } from './validate.ts'

it('4,000 mutated events: each is a feature vector or a dead letter', async () => {
  const { accepted, refused } = await fuzzIngest(4_000, 7)
  expect(accepted).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(200)
})

describe('an event nested deeper than any recursion can go', () => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`

  it.each([
    deep,
    `{"customer":${deep},"x":1}`,
    `{"customer":"c","x":${deep}}`,
    `{"customer":"c","y":${deep}}`,
    `{"customer":"c","time":${deep},"x":1}`,
    `{"customer":"c","weight":${deep},"x":1}`,
    `{"customer":"c","features":${deep}}`,
  ])('is refused like any other: %.30s', text => {
    const rules = [
      { name: 'x', type: 'number' },
      { name: 'y', type: 'category', values: ['web'] },
    ] as const
    expect(() => toFeatureVector(JSON.parse(text), rules, 0)).toThrow(Refusal)
  })
})
