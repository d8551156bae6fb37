import { packedIndex } from '../../numerics/packed.ts'
import type { Block } from '../block.ts'
import type { Parameters } from '../family.ts'
import type { GaussianLayout } from './layout.ts'

/** K equal components with the sample's mean and (diagonal) variance; c is the sample mean, or 0 where that is rounding. */
export function initialGaussian(layout: GaussianLayout, block: Block, weights: Float64Array | undefined): Parameters {
  const { components, columns: d, covariance, packed } = layout
  const mean = new Float64Array(d)
  const variance = new Float64Array(d).fill(1)
  for (let j = 0; j < d; j++) {
    let weight = 0
    let sum = 0
    for (let n = 0; n < block.rows; n++) {
      const x = block.values[n * d + j]!
      const w = Number.isNaN(x) ? 0 : (weights?.[n] ?? 1)
      if (w === 0) continue
      weight += w
      sum += (w / weight) * (x - sum)
    }
    let square = 0
    for (let n = 0; n < block.rows; n++) {
      const x = block.values[n * d + j]!
      const w = Number.isNaN(x) ? 0 : (weights?.[n] ?? 1)
      if (w !== 0) square += (w / weight) * (x - sum) ** 2
    }
    if (square > 1e-24 * sum * sum && square < Infinity) variance[j] = square
    mean[j] = Math.abs(sum) <= 1e-9 * Math.sqrt(variance[j]!) ? 0 : sum
  }
  const means = new Float64Array(components * d)
  for (let k = 0; k < components; k++) means.set(mean, k * d)
  const blocks = covariance === 'tied' ? 1 : components
  const average = variance.reduce((a, b) => a + b, 0) / d
  const size = layout.triangular ? packed : covariance === 'diag' ? d : 1
  const covariances = new Float64Array(blocks * size)
  for (let k = 0; k < blocks; k++)
    for (let j = 0; j < d; j++) {
      if (layout.triangular) covariances[k * size + packedIndex(j, j)] = variance[j]!
      else if (covariance === 'diag') covariances[k * size + j] = variance[j]!
      else covariances[k] = average
    }
  const precisionsCholesky = covariances.map(value => (value > 0 ? 1 / Math.sqrt(value) : 0))
  const logDeterminant =
    covariance === 'spherical' ? -0.5 * d * Math.log(average) : -0.5 * variance.reduce((a, b) => a + Math.log(b), 0)
  const logDeterminants = new Float64Array(components).fill(logDeterminant)
  const common = { means, covariances, precisionsCholesky, logDeterminants, reference: mean }
  if (covariance !== 'factor') return common
  const noiseVariances = new Float64Array(components * d)
  for (let k = 0; k < components; k++) noiseVariances.set(variance, k * d)
  return { ...common, loadings: new Float64Array(components * d * layout.factors), noiseVariances }
}
