import { expect, test } from 'vitest'
import { choose, permutation, random, standardNormal } from './random.ts'

test('equal seeds give equal sequences, others do not', () => {
  const a = random(42)
  const b = random(42)
  const c = random(43)
  const first = Array.from({ length: 5 }, a)
  expect(Array.from({ length: 5 }, b)).toEqual(first)
  expect(Array.from({ length: 5 }, c)).not.toEqual(first)
})

test('numbers are uniform in [0, 1), normals have mean 0 and variance 1', () => {
  const uniform = random(1)
  const bins = new Float64Array(10)
  for (let i = 0; i < 100_000; i++) bins[Math.floor(uniform() * 10)]!++
  // χ² with 9 degrees of freedom: 27.9 at p = .001
  expect(bins.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9)
  let sum = 0
  let square = 0
  for (let i = 0; i < 100_000; i++) {
    const z = standardNormal(uniform)
    sum += z
    square += z * z
  }
  expect(Math.abs(sum / 100_000)).toBeLessThan(0.015)
  expect(Math.abs(square / 100_000 - 1)).toBeLessThan(0.02)
})

test('a permutation holds every index once; a choice follows its weights', () => {
  const uniform = random(2)
  expect([...permutation(50, uniform)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  const counts = new Float64Array(3)
  for (let i = 0; i < 9000; i++) counts[choose(Float64Array.of(1, 0, 2), uniform)]!++
  expect(counts[1]).toBe(0)
  expect(counts[2]! / counts[0]!).toBeCloseTo(2, 0)
})
