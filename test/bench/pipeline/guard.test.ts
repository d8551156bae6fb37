import { expect, test } from 'vitest'
import { regressions } from './guard.ts'

const result = (ratioToBareLog: number, format: 'avro' | 'json' = 'avro') => ({
  log: 'embedded' as const,
  format,
  ratioToBareLog,
  processorRatioToBareLog: 0.2,
  ratioToSameHops: 0.5,
  processorRatioToSameHops: 0.3,
  eventsPerSecond: Math.random(),
})

test('a ratio that fell by more than the tolerance is a regression, whatever the times are', () => {
  expect(regressions([result(0.4)], [result(0.31)])).toEqual([])
  expect(regressions([result(0.4)], [result(0.29)])).toEqual([
    'avro, ratioToBareLog: expected at least 0.75 × 0.4, got 0.29',
  ])
  expect(regressions([result(0.4)], [{ ...result(0.4), processorRatioToSameHops: 0.1 }])).toHaveLength(1)
  expect(regressions([], [result(0.1)])).toEqual([])
  expect(regressions([result(0.4, 'json')], [result(0.1)])).toEqual([])
})
