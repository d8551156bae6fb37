import type { KafkaResult } from './command.ts'

/** A ratio may fall to this share of the committed one before it counts as a regression: shared machines are noisy. */
export const TOLERANCE = 0.75

/**
 * What has fallen behind the committed results by more than the tolerance: ratios to the relay of the same run, never times.
 * Latency counts as the relay's over the contender's, so that higher is better everywhere.
 * @returns one line each
 */
export function regressions(committed: KafkaResult, fresh: KafkaResult): string[] {
  const before = new Map(ratiosOf(committed))
  return ratiosOf(fresh).flatMap(([what, ratio]) => {
    const expected = TOLERANCE * (before.get(what) ?? 0)
    return ratio >= expected ? [] : [`${what}: expected at least ${expected.toFixed(2)}, got ${ratio.toFixed(2)}`]
  })
}

function ratiosOf({ throughput, latency, workers }: KafkaResult): [string, number][] {
  const relay = latency.find(({ contender }) => contender === 'relay')
  return [
    ...throughput.map(({ contender, ratioToRelay }): [string, number] => [`throughput of ${contender}`, ratioToRelay]),
    ...latency.flatMap(({ contender, p50 }): [string, number][] =>
      relay === undefined ? [] : [[`speed of answer of ${contender}`, relay.p50 / p50]],
    ),
    ...workers.map(({ kernel, speedUp }): [string, number] => [`two workers, ${kernel}`, speedUp]),
  ]
}
