import { empty, random, rowsOf, type StepwiseState, specifiedModel, stepwiseUpdate, warmUp } from '@eddy/mixture'
import { localEStep, localMStep, type MStep, modelThreads } from '@eddy/threads'
import { describe, expect, it } from 'vitest'
import { Learner } from './learner.ts'
import { featureBlock, specification } from './testing.ts'

const text = JSON.stringify(specification)
const block = featureBlock(1200)
const { mixture, expectation } = specifiedModel(specification)
const { parameters } = warmUp(specification, rowsOf(block, 0, 200), undefined, random(1))
const initial: StepwiseState = { parameters, statistics: empty(mixture), step: 0, weight: 0, effectiveSampleSize: 1 }

const batchOf = (i: number) => rowsOf(block, 200 + 50 * i, 250 + 50 * i)

/** In memory of its own, as `toEqual` tells shared memory from it. */
const copyOf = ({ parameters, statistics, ...numbers }: StepwiseState) => ({
  ...numbers,
  statistics: Float64Array.from(statistics),
  parameters: Object.fromEntries(
    Object.entries(parameters).map(([name, array]) => [name, Float64Array.from(array)] as const),
  ),
})

function statisticsOf(i: number, state: StepwiseState) {
  const sum = empty(mixture)
  expectation(state.parameters, batchOf(i), new Float64Array(50).fill(1), sum)
  return sum
}

/** What learning leads to in memory that is never used again. */
function* states(count: number): Generator<StepwiseState> {
  let state = initial
  for (let i = 0; i < count; i++) {
    state = stepwiseUpdate(mixture, specification, state, statisticsOf(i, state), 50)
    yield state
  }
}

const threaded = (patience: number) => modelThreads(2, { worthwhile: 0, patience })

describe.each([
  ['on the calling thread', () => ({ mStep: localMStep(), close: async () => {} })],
  ['on two threads', () => threaded(-1)],
  ['on the calling thread and another', () => threaded(Number.POSITIVE_INFINITY)],
])('Learner %s', (_, open) => {
  it('learns the same bytes as in new memory, and leaves a state as it is while it is learned from', async () => {
    const { mStep, close } = open()
    const watched: MStep = async (previous, statistics, prior, into) => {
      const before = copyOf({ ...initial, parameters: previous.parameters, statistics })
      const estimated = await mStep(previous, statistics, prior, into)
      expect(copyOf({ ...initial, parameters: previous.parameters, statistics })).toEqual(before)
      return estimated
    }
    const learner = new Learner(text, initial, watched)
    let i = 0
    for (const expected of states(10)) {
      const before = learner.state
      const copy = copyOf(before)
      expect(await learner.learn(statisticsOf(i++, before), 50)).toBe(true)
      expect(copyOf(before)).toEqual(copy)
      expect(copyOf(learner.state)).toEqual(copyOf(expected))
    }
    await close()
  })

  it('is not misled by what a kernel remembers of parameters that lay in the same memory', async () => {
    const { mStep, close } = open()
    const eStep = localEStep()
    const learner = new Learner(text, initial, mStep)
    const weights = new Float64Array(50).fill(1)
    const sums = Array.from({ length: 6 }, (_, i) => statisticsOf(i, initial))
    const arrays = new Set<Float64Array>()
    const seen: { copy: StepwiseState; statistics: Float64Array }[] = []
    while (sums.length > 0) {
      // Two steps: the second one's parameters lie where those of the E-step before lay.
      for (const sum of sums.splice(0, 2)) {
        await learner.learn(sum, 50)
        arrays.add(learner.state.parameters.covariances!)
      }
      const snapshot = { specification: text, parameters: learner.state.parameters }
      const { statistics } = await eStep(snapshot, batchOf(0), weights)
      seen.push({ copy: copyOf(learner.state), statistics })
    }
    for (const { copy, statistics } of seen) expect(statistics).toEqual(statisticsOf(0, copy))
    expect(arrays.size).toBe(6)
    await close()
  })
})

it('is where it was after a step that fails, and goes on', async () => {
  const mStep = localMStep()
  let fails = false
  const failing: MStep = async (previous, statistics, prior, into) => {
    if (!fails) return mStep(previous, statistics, prior, into)
    for (const array of Object.values(into!)) array.fill(7)
    throw new Error('no M-step')
  }
  const learner = new Learner(text, initial, failing)
  let i = 0
  for (const expected of states(6)) {
    const before = copyOf(learner.state)
    fails = true
    await expect(learner.learn(statisticsOf(i, learner.state), 50)).rejects.toThrow('no M-step')
    expect(copyOf(learner.state)).toEqual(before)
    fails = false
    expect(await learner.learn(empty(mixture).fill(Number.NaN), 50)).toBe(false)
    expect(await learner.learn(empty(mixture), 0)).toBe(false)
    expect(copyOf(learner.state)).toEqual(before)
    await learner.learn(statisticsOf(i++, learner.state), 50)
    expect(copyOf(learner.state)).toEqual(copyOf(expected))
  }
})
