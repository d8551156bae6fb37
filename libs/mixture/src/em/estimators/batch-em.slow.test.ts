import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pythonWithSklearn } from '../../../test/python-with-sklearn.ts'
import { fitCase, nestedError, REFERENCE_SETS, readReferenceSet } from '../../../test/sklearn-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-sklearn-'))
const script = join(import.meta.dirname, '../../../../../test/reference/gaussian_mixture.py')

beforeAll(() => {
  execFileSync(pythonWithSklearn(folder), [script, folder], { env: { ...process.env, OMP_NUM_THREADS: '1' } })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('batch EM equals the scikit-learn that is installed here, from the same start', () => {
  for (const name of REFERENCE_SETS)
    test(name, () => {
      const set = readReferenceSet(name, `${pathToFileURL(folder)}/`)
      let worst = 0
      for (const reference of set.cases)
        for (const [iterations, expected] of [
          [1, reference.after1],
          [50, reference.after50],
        ] as const) {
          const actual = fitCase(set, reference, iterations)
          for (const key of ['weights', 'means', 'covariances', 'lowerBound', 'meanLogDensity'] as const)
            worst = Math.max(worst, nestedError(actual[key], expected[key]))
        }
      console.log(`${name}: largest relative difference ${worst.toExponential(1)}`)
      expect(worst).toBeLessThanOrEqual(1e-9)
    })
})
