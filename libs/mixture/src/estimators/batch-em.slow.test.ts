import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fitCase, nestedError, REFERENCE_SETS, readReferenceSet } from '../../test/sklearn-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-sklearn-'))
const script = join(import.meta.dirname, '../../../../test/reference/gaussian_mixture.py')

/** A Python with scikit-learn: `PYTHON` or python3 if it has it, otherwise a virtual environment made for this run. */
function pythonWithSklearn(): string {
  const given = process.env.PYTHON ?? 'python3'
  try {
    execFileSync(given, ['-c', 'import sklearn'], { stdio: 'ignore' })
    return given
  } catch {
    execFileSync(given, ['-m', 'venv', join(folder, 'venv')])
    const python = join(folder, 'venv/bin/python')
    execFileSync(python, ['-m', 'pip', 'install', '-q', 'scikit-learn==1.9.1'])
    return python
  }
}

beforeAll(() => {
  execFileSync(pythonWithSklearn(), [script, folder], { env: { ...process.env, OMP_NUM_THREADS: '1' } })
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
