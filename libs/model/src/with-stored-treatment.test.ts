import { createSpecification } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { isComparable, withStoredTreatment } from './with-stored-treatment.ts'

const stored = createSpecification({
  components: 3,
  features: [
    { name: 'x', transform: 'auto', treatment: { transform: 'log', atom: 0 } },
    { name: 'y', transform: 'none' },
    { name: 'n', type: 'count' },
  ],
})
const configured = createSpecification({
  components: 4,
  features: [
    { name: 'x', transform: 'auto' },
    { name: 'y', transform: 'auto' },
    { name: 'n', type: 'count' },
  ],
})

describe('the treatment of a stored model', () => {
  it('stays, where nothing else is configured', () => {
    const kept = withStoredTreatment(configured, stored)
    expect(kept).toEqual({ ...configured, features: stored.features })
    expect(isComparable(stored, kept)).toBe(true)
  })

  it('gives way to what is configured, and goes with a feature of the same name and type', () => {
    const features = [{ name: 'n', type: 'number' as const }, { name: 'x', atom: 1 }, { name: 'y' }, { name: 'z' }]
    const other = createSpecification({ components: 3, features })
    expect(withStoredTreatment(other, stored).features).toEqual([
      { name: 'n', type: 'number' },
      { name: 'x', type: 'number', atom: 1 },
      stored.features[1],
      { name: 'z', type: 'number' },
    ])
  })
})

describe('likelihoods', () => {
  const of = (atom: number | undefined, transform: 'none' | 'log1p' = 'none', name = 'x') =>
    createSpecification({ components: 2, features: [{ name, transform, ...(atom === undefined ? {} : { atom }) }] })

  it.each([
    [of(undefined), of(undefined, 'log1p'), true],
    [of(0), of(0), true],
    [of(0), of(undefined), false],
    [of(0), of(0, 'none', 'y'), false],
  ])('%# are compared only where they are of the same thing', (one, other, comparable) => {
    expect(isComparable(one, other)).toBe(comparable)
  })
})
