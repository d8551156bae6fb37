import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fitCommand } from './fit.ts'

const cases = join(import.meta.dirname, '../../../../test/cases/batch-weight')

/** Weighted mean of x in a file of the columns x, w. */
function arithmetic(file: string): number {
  const rows = readFileSync(join(cases, file), 'utf8').trim().split('\n').slice(1)
  const sums = rows.map(row => row.split(',').map(Number)).map(([x, w = 1]) => [w * x!, w])
  return sums.reduce((sum, [wx]) => sum + wx!, 0) / sums.reduce((sum, [, w]) => sum + w!, 0)
}

describe('eddy fit --algorithm stepwise --components 1', () => {
  it.each([
    ['a.csv', []],
    ['a2.csv', []],
    ['b.csv', ['--weight', 'w']],
    ['b_rep.csv', []],
  ])('%s: is the mean of all events, wherever the short batch comes', async (file, flags) => {
    for (const passes of ['1', '2']) {
      const argv = ['--input', join(cases, file), '--features', 'x', ...flags, '--components', '1', '--json']
      const stepwise = ['--algorithm', 'stepwise', '--batch-size', '64', '--step-exponent', '1', '--passes', passes]
      const { stdout, code, stderr } = await runCommand(fitCommand, [...argv, ...stepwise])
      expect(code, stderr).toBe(0)
      expect(JSON.parse(stdout).means_[0][0]).toBeCloseTo(arithmetic(file), 10)
    }
  })

  it('counts a row of weight w as w rows', () => {
    expect(arithmetic('b.csv')).toBeCloseTo(arithmetic('b_rep.csv'), 10)
    expect(arithmetic('b.csv')).toBeCloseTo(9.7346, 3)
  })
})
