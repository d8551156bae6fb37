/** log densities are kept above this, so that a sum over 10^8 events stays finite (nats). */
export const LOWEST_LOG_DENSITY = -1e300

/** −Infinity, NaN and everything below `LOWEST_LOG_DENSITY` become `LOWEST_LOG_DENSITY`. */
export function boundLogDensity(value: number): number {
  if (value > LOWEST_LOG_DENSITY) return value
  return LOWEST_LOG_DENSITY
}

/**
 * Posterior of each row by log-sum-exp with the largest term taken out, so that rows sum to 1 even where every density
 * underflows.
 * @param logs shape (rows, K): log p(x_n | θ_k), finite; overwritten with the posterior p(k | x_n)
 * @param logWeights shape (K): log π_k; −Infinity for an empty component, at least one finite
 * @param logDensity written to, shape (≥ rows): log p(x_n) in nats
 */
export function posteriorFromLogs(
  logs: Float64Array,
  logWeights: Float64Array,
  rows: number,
  components: number,
  logDensity: Float64Array,
): void {
  for (let n = 0; n < rows; n++) {
    const start = n * components
    let largest = -Infinity
    for (let k = 0; k < components; k++) {
      const value = logs[start + k]! + logWeights[k]!
      logs[start + k] = value
      if (value > largest) largest = value
    }
    let sum = 0
    for (let k = 0; k < components; k++) {
      const term = Math.exp(logs[start + k]! - largest)
      logs[start + k] = term
      sum += term
    }
    const factor = 1 / sum
    for (let k = 0; k < components; k++) logs[start + k]! *= factor
    logDensity[n] = largest + Math.log(sum)
  }
}
