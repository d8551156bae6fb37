/** Adjusted Rand index of two labellings (Hubert & Arabie 1985): 1 for equal partitions, 0 expected by chance. */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const pairs = new Map<string, number>()
  const first = new Map<number, number>()
  const second = new Map<number, number>()
  const count = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1)
  for (let n = 0; n < a.length; n++) {
    count(pairs, `${a[n]},${b[n]}`)
    count(first, a[n]!)
    count(second, b[n]!)
  }
  const choose2 = (m: Map<unknown, number>) => [...m.values()].reduce((sum, x) => sum + (x * (x - 1)) / 2, 0)
  const expected = (choose2(first) * choose2(second)) / ((a.length * (a.length - 1)) / 2)
  const most = (choose2(first) + choose2(second)) / 2
  return most === expected ? 1 : (choose2(pairs) - expected) / (most - expected)
}
