import { expect, test } from 'vitest'
import { regressions } from './guard.ts'
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
