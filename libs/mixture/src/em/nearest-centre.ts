import type { Block } from '../families/block.ts'

/** Squared Euclidean distance of row n to centre k over the observed columns, scaled up to all d. */
export function squaredDistance(block: Block, n: number, centres: Float64Array, k: number): number {
  const { columns: d, values } = block
  let sum = 0
  let observed = 0
  for (let j = 0; j < d; j++) {
    const difference = values[n * d + j]! - centres[k * d + j]!
    if (Number.isNaN(difference)) continue
    observed++
    sum += difference * difference
  }
  return observed === 0 ? 0 : Math.min((sum * d) / observed, 1e300)
}

/**
 * Hard responsibilities: 1 for the nearest centre (the first of equals), 0 elsewhere.
 * @param out written to, shape (rows, K)
 * @returns Σ weight × squared distance to the nearest centre
 */
export function assignNearest(
  block: Block,
  weights: Float64Array | undefined,
  centres: Float64Array,
  components: number,
  out: Float64Array,
): number {
  let inertia = 0
  out.fill(0, 0, block.rows * components)
  for (let n = 0; n < block.rows; n++) {
    let nearest = 0
    let least = Infinity
    for (let k = 0; k < components; k++) {
      const distance = squaredDistance(block, n, centres, k)
      if (distance < least) {
        least = distance
        nearest = k
      }
    }
    const w = weights?.[n] ?? 1
    out[n * components + nearest] = w
    inertia += w * least
  }
  return inertia
}

/**
 * Gives each centre without events the event that is furthest from its own, as scikit-learn does: where k-means can gain most. Nothing
 * changes where every event lies on its centre.
 * @param responsibilities written to: as `assignNearest` leaves them
 */
export function relocateEmpty(
  block: Block,
  centres: Float64Array,
  components: number,
  responsibilities: Float64Array,
): void {
  const events = new Float64Array(components)
  const owner = new Int32Array(block.rows).fill(-1)
  for (let n = 0; n < block.rows; n++)
    for (let k = 0; k < components; k++)
      if (responsibilities[n * components + k]! > 0) {
        owner[n] = k
        events[k]!++
      }
  if (events.every(count => count > 0)) return
  const costs = Float64Array.from(owner, (k, n) =>
    k < 0 ? 0 : responsibilities[n * components + k]! * squaredDistance(block, n, centres, k),
  )
  for (let k = 0; k < components; k++) {
    if (events[k]! > 0) continue
    const far = costs.reduce((best, cost, n) => (cost > costs[best]! && events[owner[n]!]! > 1 ? n : best), 0)
    if (!(costs[far]! > 0)) return
    const from = owner[far]!
    responsibilities[far * components + k] = responsibilities[far * components + from]!
    responsibilities[far * components + from] = 0
    events[from]!--
    events[k] = 1
    costs[far] = 0
  }
}

/** Each centre becomes the mean of its events' observed values; one without events stays. @param centres written to */
export function moveCentres(
  block: Block,
  responsibilities: Float64Array,
  centres: Float64Array,
  components: number,
): void {
  const { rows, columns: d, values } = block
  const sums = new Float64Array(components * d)
  const totals = new Float64Array(components * d)
  for (let n = 0; n < rows; n++)
    for (let k = 0; k < components; k++) {
      const r = responsibilities[n * components + k]!
      if (r === 0) continue
      for (let j = 0; j < d; j++) {
        const x = values[n * d + j]!
        if (Number.isNaN(x)) continue
        sums[k * d + j]! += r * x
        totals[k * d + j]! += r
      }
    }
  for (let i = 0; i < sums.length; i++) if (totals[i]! > 0) centres[i] = sums[i]! / totals[i]!
}

/** Weighted mean of each column's observed values, 0 where none is. Shape (d). */
export function columnMeans(block: Block, weights: Float64Array | undefined): Float64Array {
  const { rows, columns: d, values } = block
  const means = new Float64Array(d)
  const total = new Float64Array(d)
  for (let n = 0; n < rows; n++) {
    const w = weights?.[n] ?? 1
    if (!(w > 0)) continue
    for (let j = 0; j < d; j++) {
      const x = values[n * d + j]!
      if (Number.isNaN(x)) continue
      total[j]! += w
      means[j]! += (w / total[j]!) * (x - means[j]!)
    }
  }
  return means
}
