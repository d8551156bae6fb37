import { afterEach, describe, expect, test } from 'vitest'
import { expectationErrors, readExpectations } from '../../test/sklearn-expectation.ts'
import { selectKernel } from '../kernel/engine.ts'

afterEach(() => selectKernel('auto'))

describe.each(['webassembly', 'typescript'] as const)('one EM step equals scikit-learn, %s', kernel => {
  for (const shape of readExpectations())
    for (const each of shape.cases) {
      const title = `${each.covariance}, d = ${shape.events[0]!.length}, ${shape.events.length} events`

      test(`${title}: densities, statistics and parameters to 1e-12`, () => {
        selectKernel(kernel)
        for (const [name, error] of Object.entries(expectationErrors(shape, each)))
          expect(error, name).toBeLessThanOrEqual(1e-12)
      })

      test(`${title}: to 1e-10 at an offset of 1e6`, () => {
        selectKernel(kernel)
        for (const [name, error] of Object.entries(expectationErrors(shape, each, 1e6)))
          expect(error, name).toBeLessThanOrEqual(1e-10)
      })
    }
})
