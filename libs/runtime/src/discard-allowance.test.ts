import { expect, it } from 'vitest'
import { DiscardAllowance } from './discard-allowance.ts'

const MEBIBYTE = 1 << 20

it('so many bytes a second of what is refused are read on, of all bodies together', () => {
  let now = 0
  const allowance = new DiscardAllowance(() => now)
  const taken = (): number => {
    let bytes = 0
    while (allowance.take(MEBIBYTE)) bytes += MEBIBYTE
    return bytes / MEBIBYTE
  }
  expect(taken()).toBe(16)
  expect(taken()).toBe(0)
  now += 250
  expect(taken()).toBe(4)
  now += 3_600_000
  expect(taken()).toBe(16)
})
