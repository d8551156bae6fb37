import { expect, test } from 'vitest'
import type { KafkaResult } from './command.ts'
import { regressions } from './guard.ts'

const result = (ratioToRelay: number, p50: number, speedUp: number): KafkaResult => ({
  shape: 'c',
  events: 1,
  rounds: 1,
  throughput: [{ contender: 'kafkajs', eventsPerSecond: 1, spread: 0, ratioToRelay, ratioToPython: 1 }],
  latency: [
    { contender: 'relay', p50: 10, p99: 20, rounds: [] },
    { contender: 'kafkajs', p50, p99: 1, rounds: [] },
  ],
  workers: [{ kernel: 'typescript', oneEventsPerSecond: 1, twoEventsPerSecond: 1, speedUp, spread: 0 }],
})

test('a ratio that fell by more than the tolerance is a regression, one that rose or fell a little is not', () => {
  expect(regressions(result(2, 10, 1.5), result(1.6, 12, 1.2))).toEqual([])
  expect(regressions(result(2, 10, 1.5), result(9, 1, 9))).toEqual([])
  expect(regressions(result(2, 10, 1.5), result(1.4, 14, 1.1))).toEqual([
    'throughput of kafkajs: expected at least 1.50, got 1.40',
    'speed of answer of kafkajs: expected at least 0.75, got 0.71',
    'two workers, typescript: expected at least 1.13, got 1.10',
  ])
})

test('what was not measured before cannot fall', () => {
  expect(regressions({ ...result(1, 1, 1), throughput: [], latency: [], workers: [] }, result(0.1, 99, 0.1))).toEqual(
    [],
  )
})
