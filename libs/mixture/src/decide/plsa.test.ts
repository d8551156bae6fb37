import { expect, test } from 'vitest'
import { DEFAULT_PRIOR } from '../model/specification.ts'
import { random } from '../numerics/random.ts'
import { plsa, type WordCount } from './plsa.ts'

test('two topics with words of their own are told apart', () => {
  const counts: WordCount[] = []
  for (let document = 0; document < 10; document++)
    for (let word = 0; word < 6; word++) if (word < 3 === document < 5) counts.push({ document, word, count: 2 + word })
  const topics = plsa(counts, { topics: 2, prior: DEFAULT_PRIOR, random: random(4) })
  const first = topics.words[0]! > 0.1 ? 0 : 1
  // P(w | z) is the share of the word's count among those of its topic: 2, 3, 4 of 9 and 5, 6, 7 of 18.
  const expected = [2 / 9, 3 / 9, 4 / 9, 0, 0, 0]
  expected.forEach((p, w) => {
    expect(topics.words[first * 6 + w]).toBeCloseTo(p, 5)
  })
  for (let document = 0; document < 5; document++) expect(topics.documents[first * 10 + document]).toBeCloseTo(1 / 5, 5)
  expect(topics.weights[first]).toBeCloseTo(9 / 27, 5)
  expect(topics.converged).toBe(true)
})

test('no words are refused', () => {
  expect(() => plsa([], { topics: 2, prior: DEFAULT_PRIOR, random: random(1) })).toThrow(
    'counts: expected at least one',
  )
})
