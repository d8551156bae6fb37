import type { ProduceBatch } from './driver.ts'

/** Indices of the batches in rounds: a round holds each partition at most once, and a partition's batches keep their order. */
export function rounds(batches: readonly ProduceBatch[]): number[][] {
  const seen = new Map<string, number>()
  const result: number[][] = []
  for (const [i, { topic, partition }] of batches.entries()) {
    const key = `${topic}/${partition}`
    const round = seen.get(key) ?? 0
    seen.set(key, round + 1)
    const indices = result[round] ?? []
    result[round] = indices
    indices.push(i)
  }
  return result
}
