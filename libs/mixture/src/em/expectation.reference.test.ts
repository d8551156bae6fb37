import { describe, expect, test } from 'vitest'
import { expectationErrors, readExpectations } from '../../test/sklearn-expectation.ts'
import { createKernel } from '../kernel/kernel.ts'

describe.each(['webassembly', 'typescript'] as const)('one EM step equals scikit-learn, %s', choice => {
  const kernel = createKernel(choice)
  for (const shape of readExpectations())
    for (const each of shape.cases) {
      const title = `${each.covariance}, d = ${shape.events[0]!.length}, ${shape.events.length} events`

      test(`${title}: densities, statistics and parameters to 1e-12`, () => {
        for (const [name, error] of Object.entries(expectationErrors(kernel, shape, each)))
          expect(error, name).toBeLessThanOrEqual(1e-12)
      })

      test(`${title}: to 1e-10 at an offset of 1e6`, () => {
        for (const [name, error] of Object.entries(expectationErrors(kernel, shape, each, 1e6)))
          expect(error, name).toBeLessThanOrEqual(1e-10)
      })
    }
})
