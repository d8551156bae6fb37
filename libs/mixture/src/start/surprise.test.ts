import { describe, expect, test } from 'vitest'
import { createSpecification } from '../model/specification.ts'
import { isDue, REVISION_SAMPLE, surprisedBy } from './surprise.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 3 })
const start = { expectedLogLikelihood: -2, surprise: 0, judgedWeight: 1000 }

describe('surprise', () => {
  test('adds up what events fall short, and forgets it where they are explained as expected', () => {
    let state = surprisedBy(start, -2.5 * 100, 100)
    expect(state.surprise).toBeCloseTo(45, 12)
    expect(state.judgedWeight).toBe(1000)
    state = surprisedBy(state, -1.9 * 400, 400)
    expect(state.surprise).toBe(0)
  })

  test('takes the first batch for what is expected where nothing is known', () => {
    const state = surprisedBy({ ...start, expectedLogLikelihood: Number.NaN }, -300, 100)
    expect(state).toEqual({ expectedLogLikelihood: -3, surprise: 0, judgedWeight: 1000 })
  })

  test('is enough when another component would have paid for its parameters, and a quarter more has come', () => {
    const cost = (17 / 3 / 2) * Math.log(1250)
    expect(isDue(specification, { ...start, surprise: cost + 0.01 }, 1250)).toBe(true)
    expect(isDue(specification, { ...start, surprise: cost - 0.01 }, 1250)).toBe(false)
    expect(isDue(specification, { ...start, surprise: cost + 0.01 }, 1249)).toBe(false)
  })

  test('is not needed while all that was learned fits into a sample: then it is enough that it has doubled', () => {
    expect(isDue(specification, start, 1999)).toBe(false)
    expect(isDue(specification, start, 2000)).toBe(true)
    expect(isDue(specification, { ...start, judgedWeight: REVISION_SAMPLE }, 10 * REVISION_SAMPLE)).toBe(false)
  })
})
