/** How much evidence events are. */
export interface SampleSize {
  /** Σw */
  readonly weight: number
  /** Kish's effective number of events, (Σw)²/Σw² */
  readonly effectiveSampleSize: number
}

/** Σw² of `rows` events; without weights each is 1. */
export function squaredSum(weights: Float64Array | undefined, rows: number): number {
  if (weights === undefined) return rows
  let squares = 0
  for (const w of weights) squares += w * w
  return squares
}

/** Of `rows` events; without weights each is 1. */
export function sampleSize(weights: Float64Array | undefined, rows: number): SampleSize {
  const weight = weights === undefined ? rows : weights.reduce((sum, w) => sum + w, 0)
  return { weight, effectiveSampleSize: weight > 0 ? weight ** 2 / squaredSum(weights, rows) : 1 }
}
