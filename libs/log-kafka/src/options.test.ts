import { expect, test } from 'vitest'
import { ANONYMOUS, transactionTimeoutOf } from './options.ts'

test('what nobody takes again may not stay open for long', () => {
  expect(transactionTimeoutOf('model.scoring.features.0', {})).toBe(60_000)
  expect(transactionTimeoutOf('model.scoring.features.0', { transactionTimeoutMs: 90_000 })).toBe(90_000)
  expect(transactionTimeoutOf(`${ANONYMOUS}1`, {})).toBe(15_000)
  expect(transactionTimeoutOf(`${ANONYMOUS}1`, { transactionTimeoutMs: 90_000 })).toBe(15_000)
  expect(transactionTimeoutOf(`${ANONYMOUS}1`, { transactionTimeoutMs: 5_000 })).toBe(5_000)
})
