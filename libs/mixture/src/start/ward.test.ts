import { expect, test } from 'vitest'
import { random } from '../numerics/random.ts'
import { wardGroups } from './ward.ts'

/** The same by trying all pairs. */
function slowly(values: number[], components: number): number {
  let groups = values.map(x => [x])
  const squares = (g: number[]) => g.reduce((s, x) => s + (x - g.reduce((a, b) => a + b, 0) / g.length) ** 2, 0)
  while (groups.length > components) {
    const pairs = groups.flatMap((a, i) => groups.slice(i + 1).map(b => [a, b] as const))
    const cost = ([a, b]: readonly [number[], number[]]) => squares([...a, ...b]) - squares(a) - squares(b)
    const [a, b] = pairs.reduce((x, y) => (cost(y) < cost(x) ? y : x))
    groups = [...groups.filter(g => g !== a && g !== b), [...a, ...b]]
  }
  return groups.reduce((sum, g) => sum + squares(g), 0)
}

test('the groups are those of Ward', () => {
  const draw = random(3)
  const values = Array.from({ length: 40 }, () => draw() ** 2)
  const block = { rows: 40, columns: 1, values: Float64Array.from(values) }
  for (const components of [1, 2, 3, 7, 40]) {
    const groups = wardGroups(block, components)
    expect(new Set(groups).size).toBe(components)
    let total = 0
    for (let g = 0; g < components; g++) {
      const own = values.filter((_, n) => groups[n] === g)
      const mean = own.reduce((a, b) => a + b, 0) / own.length
      total += own.reduce((sum, x) => sum + (x - mean) ** 2, 0)
    }
    expect(total).toBeCloseTo(slowly(values, components), 12)
  }
})

test('fewer points than groups', () => {
  expect([...wardGroups({ rows: 2, columns: 1, values: Float64Array.of(1, 1) }, 5)]).toEqual([0, 1])
})
