import { expect, test } from 'vitest'
import { brokenLimits, regressions } from './guard.ts'
import type { KernelResult } from './measure.ts'

const result = (ratioToSklearn: number, shape = 'c'): KernelResult => ({
  shape,
  step: 'em',
  variant: 'dense',
  batch: 1024,
  eventsPerSecond: 1,
  ratioToSklearn,
  ratioToC: null,
  activeComponents: 5,
})

test('a ratio that fell by more than the tolerance is a regression, whatever the times are', () => {
  expect(regressions([result(4)], [{ ...result(3.1), eventsPerSecond: 1e-3 }])).toEqual([])
  expect(regressions([result(4)], [{ ...result(2.9), eventsPerSecond: 1e9 }])).toEqual([
    'c em dense, batch 1024: expected at least 0.75 × 4, got 2.9',
  ])
  expect(regressions([], [result(0.1)])).toEqual([])
  expect(regressions([result(4, 'd')], [result(0.1)])).toEqual([])
})

test('a limit in C that is slower than the product is said to be none', () => {
  const beside = (ratioToC: number | null, variant: KernelResult['variant'] = 'dense') =>
    brokenLimits([{ ...result(4), ratioToC, variant }])
  expect(beside(7.2)).toEqual([
    'c em dense, batch 1024: expected at most 1.25 × C, got 7.2: see how limit.c is compiled',
  ])
  expect(beside(1.1)).toEqual([])
  expect(beside(null)).toEqual([])
  // Leaves out components, where limit.c leaves out none.
  expect(beside(1.4, 'skip')).toEqual([])
})
