import type { Block } from '../families/block.ts'

/**
 * Cuts a tree of clusters into `components` groups: each merge is of the two clusters whose union raises the sum of squares least
 * (Ward 1963), found by chains of nearest neighbours (Murtagh 1983) in O(rows² d) time.
 * @param points shape (rows ≥ 1, d), no missing values
 * @returns shape (rows): the group of each point, 0 … components − 1; fewer groups where there are fewer points
 */
export function wardGroups(points: Block, components: number): Int32Array {
  const { rows, columns: d } = points
  const centres = points.values.slice(0, rows * d)
  const sizes = new Float64Array(rows).fill(1)
  const merges: { into: number; from: number; cost: number }[] = []
  const cost = (a: number, b: number): number => {
    let squares = 0
    for (let j = 0; j < d; j++) squares += (centres[a * d + j]! - centres[b * d + j]!) ** 2
    return (squares * sizes[a]! * sizes[b]!) / (sizes[a]! + sizes[b]!)
  }
  const chain: number[] = []
  while (merges.length < rows - 1) {
    if (chain.length === 0) chain.push(sizes.findIndex(size => size > 0))
    const top = chain.at(-1)!
    const before = chain.at(-2)
    let nearest = before ?? -1
    let least = before === undefined ? Infinity : cost(top, before)
    for (let n = 0; n < rows; n++) {
      if (n === top || n === before || sizes[n] === 0) continue
      const own = cost(top, n)
      if (own < least || nearest < 0) {
        least = own
        nearest = n
      }
    }
    if (nearest !== before) {
      chain.push(nearest)
      continue
    }
    chain.length -= 2
    const total = sizes[top]! + sizes[nearest]!
    for (let j = 0; j < d; j++)
      centres[nearest * d + j] =
        (sizes[nearest]! * centres[nearest * d + j]! + sizes[top]! * centres[top * d + j]!) / total
    sizes[nearest] = total
    sizes[top] = 0
    merges.push({ into: nearest, from: top, cost: least })
  }
  // Merges of a chain come out of order: the tree is cut at its dearest ones.
  const parent = Int32Array.from({ length: rows }, (_, n) => n)
  const root = (n: number): number => {
    let at = n
    while (parent[at] !== at) at = parent[at]!
    return at
  }
  merges.sort((a, b) => a.cost - b.cost)
  for (const { into, from } of merges.slice(0, Math.max(0, rows - components))) parent[root(from)] = root(into)
  const names = new Map<number, number>()
  return Int32Array.from({ length: rows }, (_, n) => {
    const at = root(n)
    if (!names.has(at)) names.set(at, names.size)
    return names.get(at)!
  })
}
