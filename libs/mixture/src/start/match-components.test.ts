import { expect, test } from 'vitest'
import { createSpecification } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { matchComponents } from './match-components.ts'
import { warmUp } from './warm-up.ts'

const next = random(1)
const CENTRES = [0, 10, 20]
const rows = 900
/** The centre of each event. */
const centres = Array.from({ length: rows }, (_, n) => CENTRES[n % 3]!)
const block = {
  rows,
  columns: 1,
  values: Float64Array.from(centres, centre => centre + standardNormal(next)),
}

const of = (components: number, seed: number, events = block) =>
  warmUp(
    createSpecification({ features: events.columns === 1 ? ['x'] : ['y', 'z'], components }),
    events,
    undefined,
    random(seed),
  )

test('with as many components on both sides, each goes on as the one that has its events', () => {
  const [one, other] = [of(3, 1), of(3, 5)]
  const { earlier, overlap, shared } = matchComponents(one, other, block)
  expect([...earlier].sort()).toEqual([0, 1, 2])
  for (const [k, j] of earlier.entries()) expect(other.parameters.means![k]).toBeCloseTo(one.parameters.means![j]!, 2)
  expect(Math.min(...overlap)).toBeGreaterThan(0.99)
  expect(shared.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
})

test('a component more goes on as none, and one fewer leaves one behind', () => {
  const [three, two] = [of(3, 1), of(2, 1)]
  const more = matchComponents(two, three, block)
  expect([...more.earlier].sort()).toEqual([-1, 0, 1])
  expect(more.overlap[more.earlier.indexOf(-1)]).toBe(0)
  expect(more.shared).toHaveLength(6)
  const fewer = matchComponents(three, two, block)
  expect(new Set(fewer.earlier).size).toBe(2)
  expect(Math.min(...fewer.earlier)).toBeGreaterThanOrEqual(0)
  expect(fewer.shared.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
})

test('models of other features are matched by the events that both see', () => {
  const copy = random(2)
  const values = centres.flatMap(centre => [-centre + standardNormal(copy), centre + standardNormal(copy)])
  const seenLater = { rows, columns: 2, values: Float64Array.from(values) }
  const [one, other] = [of(3, 1), of(3, 1, seenLater)]
  const { earlier, overlap } = matchComponents(one, other, seenLater, undefined, block)
  expect([...earlier].sort()).toEqual([0, 1, 2])
  expect(Math.min(...overlap)).toBeGreaterThan(0.99)
})
