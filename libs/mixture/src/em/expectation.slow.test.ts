import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pythonWithSklearn } from '../../test/python-with-sklearn.ts'
import { expectationErrors, readExpectations } from '../../test/sklearn-expectation.ts'
import { createKernel } from '../kernel/kernel.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-sklearn-'))
const script = join(import.meta.dirname, '../../../../test/reference/expectation.py')

beforeAll(() => {
  execFileSync(pythonWithSklearn(folder), [script, folder], { env: { ...process.env, OMP_NUM_THREADS: '1' } })
})
afterAll(() => rmSync(folder, { recursive: true }))

test('one EM step equals the scikit-learn that is installed here, to 1e-12; to 1e-10 at an offset of 1e6', () => {
  for (const [offset, tolerance] of [
    [0, 1e-12],
    [1e6, 1e-10],
  ] as const) {
    const worst: Record<string, number> = {}
    for (const shape of readExpectations(`${pathToFileURL(folder)}/`))
      for (const each of shape.cases)
        for (const [name, error] of Object.entries(expectationErrors(createKernel(), shape, each, offset)))
          worst[name] = Math.max(worst[name] ?? 0, error)
    console.log(`offset ${offset}, largest relative differences:`, worst)
    for (const [name, error] of Object.entries(worst)) expect(error, name).toBeLessThanOrEqual(tolerance)
  }
})
