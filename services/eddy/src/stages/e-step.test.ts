import type { Snapshot } from '@eddy/messages'
import { batchEm, createSpecification, fitModel, type KernelChoice, random, standardNormal } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { configurationSchema } from '../configuration.ts'
import { openEStep, threadsOf } from './e-step.ts'

const threads = (columns: number, model: object): number =>
  threadsOf(
    configurationSchema.parse({ model }),
    createSpecification({ features: Array.from({ length: columns }, (_, i) => `x${i}`), components: 2 }),
  )

describe('threadsOf', () => {
  it('is none for a small model and two for a large one', () => {
    expect(threads(2, {})).toBe(0)
    expect(threads(16, { components: 8 })).toBe(0)
    expect(threads(64, { components: 32 })).toBe(2)
    expect(threads(64, { components: 32, covariance: 'diag' })).toBe(0)
    expect(threads(32, { components: 16, batchSize: 4096 })).toBe(2)
  })

  it('is what is configured', () => {
    expect(threads(2, { threads: 3 })).toBe(3)
    expect(threads(64, { components: 32, threads: 0 })).toBe(0)
  })

  it('opens an E-step that can be closed', async () => {
    const specification = createSpecification({ features: ['x'], components: 2 })
    for (const count of [0, 1])
      await openEStep(configurationSchema.parse({ model: { threads: count } }), specification).close()
  })
})

describe('openEStep', () => {
  it('gives its threads the configured kernel', async () => {
    const uniform = random(1)
    const block = { rows: 100, columns: 1, values: Float64Array.from({ length: 100 }, () => standardNormal(uniform)) }
    const specification = createSpecification({ features: ['x'], components: 2 })
    const fit = { estimator: batchEm({ prior: specification.prior }), random: uniform }
    const { parameters } = fitModel(specification, block, undefined, fit)
    const snapshot = { specification: JSON.stringify(specification), parameters } as Snapshot
    const statistics = async (kernel: KernelChoice) => {
      const { eStep, close } = openEStep(configurationSchema.parse({ model: { threads: 1, kernel } }), specification)
      return (await eStep(snapshot, block, new Float64Array(100).fill(1)).finally(close)).statistics
    }
    const compiled = await statistics('auto')
    expect(await statistics('webassembly')).toEqual(compiled)
    // Only the last bits tell.
    expect(await statistics('typescript')).not.toEqual(compiled)
  })
})
