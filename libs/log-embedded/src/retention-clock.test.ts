import { expect, test } from 'vitest'
import { RetentionClock } from './retention-clock.ts'

const day = 24 * 3_600_000
let wall = 0
let passed = 0
const clockAt = (time: number, remembered?: number): RetentionClock => {
  wall = time
  passed = 0
  return new RetentionClock({ clock: () => wall, monotonic: () => passed, remembered })
}
const pass = (ms: number): void => {
  wall += ms
  passed += ms
}

test('goes with the wall clock, also over a night', () => {
  const clock = clockAt(100 * day)
  expect(clock.now()).toBe(100 * day)
  pass(400 * day)
  expect(clock.now()).toBe(500 * day)
  wall += 0.9 * day
  expect(clock.now()).toBe(500.9 * day)
  wall -= 3 * day
  expect(clock.now()).toBe(497.9 * day)
})

test('is not behind a clock that goes on between two looks', () => {
  let time = 100 * day
  const clock = new RetentionClock({ clock: () => time++, monotonic: () => 0, remembered: undefined })
  for (let n = 0; n < 5; n++) expect(clock.now()).toBeLessThan(time)
  expect(clock.behind).toBe(0)
  time += 3 * day
  clock.now()
  expect(clock.behind).toBeGreaterThan(day)
})

test('a step of years is one of a day, then twice as fast as time passes until it has caught up', () => {
  for (const [time, remembered] of [
    [4000, 101 * day],
    [100, undefined],
  ] as const) {
    const clock = clockAt(time * day, remembered)
    wall = 4000 * day
    expect(clock.now()).toBe(101 * day)
    for (let n = 0; n < 10; n++) expect(clock.now()).toBe(101 * day)
    pass(2 * day)
    expect(clock.now()).toBe(105 * day)
    wall = 106 * day
    expect(clock.now()).toBe(105 * day)
    pass(day)
    expect(clock.now()).toBe(107 * day)
  }
})

test('its limit is remembered when it has moved by an hour, and is no later at the next start', () => {
  const clock = clockAt(100 * day)
  clock.now()
  expect(clock.toRemember()).toBe(101 * day)
  pass(1000)
  clock.now()
  expect(clock.toRemember()).toBeUndefined()
  pass(day / 24)
  clock.now()
  expect(clock.toRemember()).toBe(101 * day + 1000 + day / 24)
  for (let start = 0; start < 9; start++) expect(clockAt(4000 * day, 101 * day).now()).toBe(101 * day)
})
