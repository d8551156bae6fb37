import { featureVectorCodec } from '@eddy/messages'
import { type KernelChoice, selectKernel } from '@eddy/mixture'
import { afterAll, describe, expect, it } from 'vitest'
import { localEStep } from './e-step.ts'
import { featureRecords, warmedUp } from './testing.ts'
import { threadedEStep } from './threaded-e-step.ts'

const records = featureRecords(1003)
const snapshot = await warmedUp(records)
const rows = records.length
const values = new Float64Array(rows * 2)
for (const [n, { value }] of records.entries())
  values.set(featureVectorCodec.decode(value as Uint8Array).features, 2 * n)
const weights = Float64Array.from({ length: rows }, (_, n) => 1 + (n % 3))
const block = { rows, columns: 2, values }
const reference = await localEStep()(snapshot, block, weights)

describe.each([1, 2, 3])('%i threads', threads => {
  const threaded = threadedEStep(threads)
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
})

it('gives each thread the kernel that is chosen for it, and both agree to 1e-12', async () => {
  const on = async (kernel: KernelChoice) => {
    const threaded = threadedEStep(1, kernel)
    selectKernel(kernel)
    const here = await localEStep()(snapshot, block, weights)
    selectKernel('auto')
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

it('rejects what is under way when it is closed, and what comes after', async () => {
  const threaded = threadedEStep(2)
  const underWay = threaded.eStep(snapshot, block, weights)
  const outcome = expect(underWay).rejects.toThrow(/E-step thread/)
  await threaded.close()
  await outcome
  await threaded.close()
  await expect(threaded.eStep(snapshot, block, weights)).rejects.toThrow(/E-step thread/)
})

it('refuses a number of threads that is none', () => {
  for (const threads of [0, -1, 1.5, Number.NaN]) expect(() => threadedEStep(threads)).toThrow(/threads: expected/)
})
