import { expect, test, vi } from 'vitest'
import { claim } from './kafkajs-claim.ts'

test('a change of a class is claimed once, by all copies of the module together', async () => {
  const target = class {}
  expect(claim(target, 'connections')).toBe(true)
  expect(claim(target, 'connections')).toBe(false)
  vi.resetModules()
  const copy = await import('./kafkajs-claim.ts')
  expect(copy.claim).not.toBe(claim)
  expect(copy.claim(target, 'connections')).toBe(false)
})

test('another change, or of another class, is claimed by itself', () => {
  const target = class {}
  expect(claim(target, 'connections')).toBe(true)
  expect(claim(target, 'joins')).toBe(true)
  expect(claim(class {}, 'connections')).toBe(true)
})
