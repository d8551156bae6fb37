import {
  batchEm,
  type Covariance,
  createSpecification,
  fitModel,
  type KernelChoice,
  random,
  standardNormal,
} from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { type ModelStepsOptions, openModelSteps, threadsOf } from './model-steps.ts'

type Model = Partial<ModelStepsOptions> & { readonly components?: number; readonly covariance?: Covariance }

const threads = (columns: number, { components = 6, covariance = 'full', ...options }: Model): number => {
  const features = Array.from({ length: columns }, (_, i) => `x${i}`)
  return threadsOf({ batchSize: 1024, ...options }, createSpecification({ features, components, covariance }))
}

describe('threadsOf', () => {
  it('is none for a small model and two for a large one', () => {
    expect(threads(2, {})).toBe(0)
    expect(threads(16, { components: 8 })).toBe(0)
    expect(threads(64, { components: 32 })).toBe(2)
    expect(threads(64, { components: 32, covariance: 'diag' })).toBe(0)
    expect(threads(32, { components: 16 })).toBe(0)
    expect(threads(32, { components: 16, batchSize: 4096 })).toBe(2)
  })

  it('is what is configured', () => {
    expect(threads(2, { threads: 3 })).toBe(3)
    expect(threads(64, { components: 32, threads: 0 })).toBe(0)
  })

  it('opens steps that can be closed', async () => {
    const specification = createSpecification({ features: ['x'], components: 2 })
    for (const count of [0, 1])
      await openModelSteps({ threads: count, batchSize: 1024, kernel: 'auto' }, specification).close()
  })
})

describe('openModelSteps', () => {
  it('gives its threads the configured kernel', async () => {
    const uniform = random(1)
    const rows = 8192
    const columns = 16
    const values = Float64Array.from({ length: rows * columns }, () => standardNormal(uniform))
    const block = { rows, columns, values }
    const specification = createSpecification({
      features: Array.from({ length: columns }, (_, i) => `x${i}`),
      components: 4,
      warmUp: { events: 200, restarts: 1, iterations: 1 },
    })
    const fit = { estimator: batchEm({ prior: specification.prior, maxIterations: 1 }), random: uniform }
    const { parameters } = fitModel(specification, block, undefined, fit)
    const snapshot = { specification: JSON.stringify(specification), parameters }
    const statistics = async (kernel: KernelChoice) => {
      const { eStep, close } = openModelSteps({ threads: 1, batchSize: 1024, kernel }, specification)
      return (await eStep(snapshot, block, new Float64Array(rows).fill(1)).finally(close)).statistics
    }
    const compiled = await statistics('auto')
    expect(await statistics('webassembly')).toEqual(compiled)
    // Only the last bits tell.
    expect(await statistics('typescript')).not.toEqual(compiled)
  })
})
