import { execFileSync } from 'node:child_process'
import { createKernel, DEFAULT_PRIOR, type KernelChoice, random, rowsOf, scoreModel, warmUp } from '@eddy/mixture'
import { afterAll, describe, expect, it } from 'vitest'
import { localEStep } from './e-step.ts'
import { localMStep } from './m-step.ts'
import { eventCost, type ModelThreadsOptions, modelThreads } from './model-threads.ts'
import { renewed, sharedParameters } from './shared-parameters.ts'
import { featureBlock, specification, warmedUp } from './testing.ts'

const snapshot = warmedUp()
const rows = 1003
const block = featureBlock(rows)
const { values } = block
const weights = Float64Array.from({ length: rows }, (_, n) => 1 + (n % 3))
const scoresOf = (rows: number, components = 2) => ({
  posterior: new Float64Array(rows * components),
  logDensity: new Float64Array(rows),
})
const reference = await localEStep()(snapshot, block, weights)

/** Of 64 events in the E-step, 128 in scoring. */
const slice = 64 * eventCost(specification)

const WAYS: readonly (readonly [string, ModelThreadsOptions])[] = [
  ['beside the calling one', { patience: -1, slice }],
  ['with the calling one', { patience: Number.POSITIVE_INFINITY }],
  ['with the calling one, slice by slice', { patience: Number.POSITIVE_INFINITY, slice }],
  ['with the calling one for a slice', { patience: 0, rest: 0, slice }],
]

describe.each([1, 2, 3].flatMap(threads => WAYS.map(way => [threads, ...way] as const)))(
  '%i threads %s',
  (threads, _, way) => {
    const threaded = modelThreads(threads, { worthwhile: 0, ...way })
    afterAll(() => threaded.close())

    it('equal the E-step on one thread to 1e-12', async () => {
      const { statistics, logLikelihood, weight } = await threaded.eStep(snapshot, block, weights)
      expect(weight).toBe(reference.weight)
      expect(Math.abs(logLikelihood / reference.logLikelihood - 1)).toBeLessThan(1e-12)
      const scale = Math.max(...reference.statistics.map(Math.abs))
      expect(statistics).toHaveLength(reference.statistics.length)
      for (const [i, value] of statistics.entries())
        expect(Math.abs(value - reference.statistics[i]!)).toBeLessThanOrEqual(1e-12 * scale)
    })

    it('give the same bytes every time, and leave the batch as it was', async () => {
      const before = values.slice()
      const first = await threaded.eStep(snapshot, block, weights)
      for (let i = 0; i < 5; i++) expect(await threaded.eStep(snapshot, block, weights)).toEqual(first)
      expect(values).toEqual(before)
    })

    it('give the bits of one thread in the M-step and in scoring', async () => {
      const prior = { ...DEFAULT_PRIOR, meanPseudoEvents: 0.1 }
      expect(await threaded.mStep(snapshot, reference.statistics, prior)).toEqual(
        await localMStep()(snapshot, reference.statistics, prior),
      )
      const into = scoresOf(rows)
      await threaded.score(snapshot, block, into)
      expect(into).toEqual(scoreModel({ specification, parameters: snapshot.parameters }, block))
    })

    it('go on with other parameters, another specification and a larger batch', async () => {
      for (const components of [2, 3, 2])
        for (const count of [100, rows, 64]) {
          const other = { ...specification, components }
          const part = rowsOf(block, 0, count)
          const { parameters } = warmUp(other, part, undefined, random(count))
          const model = { specification: JSON.stringify(other), parameters }
          const into = scoresOf(count, components)
          await threaded.score(model, part, into)
          expect(into).toEqual(scoreModel({ specification: other, parameters }, part))
        }
    })

    it('give the same in shared memory of the caller, however much of it', async () => {
      const expected = await threaded.eStep(snapshot, block, weights)
      const scores = scoreModel({ specification, parameters: snapshot.parameters }, block)
      const shared = (of: Float64Array) => {
        const array = new Float64Array(new SharedArrayBuffer(8 * (of.length + 2)), 16, of.length)
        array.set(of)
        return array
      }
      for (let i = 0; i < 30; i++) {
        const own = { ...block, values: shared(values) }
        expect(await threaded.eStep(snapshot, own, i % 2 === 0 ? weights : shared(weights))).toEqual(expected)
        const into = scoresOf(rows)
        const lent = {
          posterior: shared(into.posterior),
          logDensity: i % 3 === 0 ? into.logDensity : shared(into.logDensity),
        }
        await threaded.score(snapshot, own, lent)
        expect([...lent.posterior]).toEqual([...scores.posterior])
        expect([...lent.logDensity]).toEqual([...scores.logDensity])
      }
      expect(await threaded.eStep(snapshot, block, weights)).toEqual(expected)
    })

    it('write statistics and estimates where the caller wants them, whatever was there', async () => {
      const expected = await threaded.eStep(snapshot, block, weights)
      const { parameters } = snapshot
      const prior = { ...DEFAULT_PRIOR, meanPseudoEvents: 0.1 }
      const estimated = await localMStep()(snapshot, expected.statistics, prior)
      const { length } = reference.statistics
      for (const buffer of [new ArrayBuffer(8 * length + 16), new SharedArrayBuffer(8 * length + 16)]) {
        const into = new Float64Array(buffer, 8, length).fill(7)
        const { statistics, ...sums } = await threaded.eStep(snapshot, block, weights, into)
        expect(statistics).toBe(into)
        expect({ ...sums, statistics: Float64Array.from(into) }).toEqual(expected)
        expect([new Float64Array(buffer)[0], new Float64Array(buffer)[length + 1]]).toEqual([0, 0])
        for (const make of [sharedParameters, structuredClone<typeof parameters>]) {
          const memory = make(parameters)
          for (const array of Object.values(memory)) array.fill(7)
          const written = await threaded.mStep(snapshot, into, prior, memory)
          for (const [name, array] of Object.entries(written)) {
            expect(array.buffer).toBe(memory[name]!.buffer)
            expect(array).not.toBe(memory[name])
            expect(Float64Array.from(array), name).toEqual(estimated[name])
          }
        }
      }
    })

    it('read parameters in shared memory that is used again', async () => {
      const memory = sharedParameters(snapshot.parameters)
      for (const seed of [1, 2, 3]) {
        const { parameters } = warmUp(specification, rowsOf(block, 0, 100 * seed), undefined, random(seed))
        for (const [name, array] of Object.entries(parameters)) memory[name]!.set(array)
        const expected = await threaded.eStep({ ...snapshot, parameters }, block, weights)
        expect(await threaded.eStep({ ...snapshot, parameters: renewed(memory) }, block, weights)).toEqual(expected)
      }
    })

    it('do what is asked for at once in turn', async () => {
      const asked = Array.from({ length: 4 }, async (_, i) => {
        const into = scoresOf(rows)
        const [expectation] = await Promise.all([
          threaded.eStep(snapshot, i % 2 === 0 ? block : rowsOf(block, 0, 500), weights),
          threaded.score(snapshot, block, into),
        ])
        return { expectation, into }
      })
      const [first, second, ...others] = await Promise.all(asked)
      expect(others).toEqual([first, second])
      expect(first?.expectation.weight).toBe(reference.weight)
    })

    it('take a batch of fewer events than threads', async () => {
      const one = { rows: 1, columns: 2, values: values.slice(0, 2) }
      const alone = await localEStep()(snapshot, one, weights.slice(0, 1))
      expect(await threaded.eStep(snapshot, one, weights.slice(0, 1))).toEqual(alone)
    })

    it('pass an error on and go on', async () => {
      const wrong = { rows, columns: 1, values: values.slice(0, rows) }
      await expect(threaded.eStep(snapshot, wrong, weights)).rejects.toThrow(/block.columns: expected 2/)
      expect((await threaded.eStep(snapshot, block, weights)).weight).toBe(reference.weight)
    })
  },
)

describe('the calling thread', () => {
  const other = { ...specification, components: 6 }
  const { parameters } = warmUp(other, block, undefined, random(1))
  const model = { specification: JSON.stringify(other), parameters }
  // In the M-step, of one component.
  it.each([64 * eventCost(other), 8])(
    'gives the same bits whether it does a part, some of it or none, slice %i',
    async slice => {
      const outcomes = await Promise.all(
        [Number.POSITIVE_INFINITY, 0, -1].map(async patience => {
          const threaded = modelThreads(2, { worthwhile: 0, patience, rest: 0, slice })
          const expectation = await threaded.eStep(model, block, weights)
          const estimated = await threaded.mStep(model, expectation.statistics, DEFAULT_PRIOR)
          await threaded.close()
          return { expectation, estimated }
        }),
      )
      expect(outcomes[1]).toEqual(outcomes[0])
      expect(outcomes[2]).toEqual(outcomes[0])
      expect(outcomes[0]!.estimated).toEqual(
        await localMStep()(model, outcomes[0]!.expectation.statistics, DEFAULT_PRIOR),
      )
    },
  )
})

it('gives each thread the kernel that is chosen for it, and both agree to 1e-12', async () => {
  const on = async (kernel: KernelChoice) => {
    const threaded = modelThreads(1, { kernel, worthwhile: 0 })
    const here = await localEStep(createKernel(kernel))(snapshot, block, weights)
    const there = await threaded.eStep(snapshot, block, weights)
    await threaded.close()
    expect(there).toEqual(here)
    return there
  }
  const compiled = await on('webassembly')
  const typescript = await on('typescript')
  expect(compiled.statistics).toEqual(reference.statistics)
  expect(typescript.statistics).not.toEqual(reference.statistics)
  const scale = Math.max(...reference.statistics.map(Math.abs))
  for (const [i, value] of typescript.statistics.entries())
    expect(Math.abs(value - reference.statistics[i]!)).toBeLessThanOrEqual(1e-12 * scale)
})

it.each(WAYS)('rejects what is under way when it is closed, and what comes after, %s', async (_, way) => {
  const threaded = modelThreads(2, { worthwhile: 0, ...way })
  const underWay = threaded.eStep(snapshot, block, weights)
  const outcome = expect(underWay).rejects.toThrow(/E-step thread/)
  await threaded.close()
  await outcome
  await threaded.close()
  await expect(threaded.eStep(snapshot, block, weights)).rejects.toThrow(/E-step thread/)
})

it('does by itself, at once, what is too small to be handed over', async () => {
  const threaded = modelThreads(2)
  await threaded.close()
  expect(await threaded.eStep(snapshot, block, weights)).toEqual(reference)
  expect(await threaded.mStep(snapshot, reference.statistics, DEFAULT_PRIOR)).toEqual(
    await localMStep()(snapshot, reference.statistics, DEFAULT_PRIOR),
  )
  const into = scoresOf(rows)
  await threaded.score(snapshot, block, into)
  expect(into).toEqual(scoreModel({ specification, parameters: snapshot.parameters }, block))
})

it('holds no process, and closes as its last act', () => {
  const script = `
    const { modelThreads } = await import(${JSON.stringify(new URL('./model-threads.ts', import.meta.url).href)})
    const { snapshot, block, weights } = JSON.parse(process.argv[1], (key, value) =>
      Array.isArray(value) ? Float64Array.from(value) : value)
    const threaded = modelThreads(2, { worthwhile: 0 })
    const { weight } = await threaded.eStep(snapshot, block, weights)
    console.log(weight)
    if (process.argv[2] === 'close') {
      await threaded.close()
      console.log('closed')
    }`
  const plain = (_: string, value: unknown) => (value instanceof Float64Array ? [...value] : value)
  const { specification, parameters } = snapshot
  const input = JSON.stringify(
    { snapshot: { specification, parameters }, block: rowsOf(block, 0, 64), weights: weights.subarray(0, 64) },
    plain,
  )
  const output = (...args: string[]) =>
    execFileSync(process.execPath, ['--conditions=source', '--eval', script, input, ...args], {
      encoding: 'utf8',
      timeout: 60_000,
    })
  expect(output()).toBe('127\n')
  expect(output('close')).toBe('127\nclosed\n')
})

it('refuses a number of threads that is none', () => {
  for (const threads of [0, -1, 1.5, Number.NaN]) expect(() => modelThreads(threads)).toThrow(/threads: expected/)
})
