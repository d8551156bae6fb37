import type { ModelSpecification } from '@eddy/mixture'

/** Number of free parameters of a model: what AIC and BIC count. */
export function freeParameters({ components: K, covariance, factors = 1, features }: ModelSpecification): number {
  const d = features.filter(feature => feature.type === 'number').length
  const others = features.reduce((sum, { type, categories }) => {
    if (type === 'number') return sum
    return sum + (type === 'category' ? (categories ?? 2) - 1 : 1)
  }, 0)
  const perCovariance = {
    full: (K * d * (d + 1)) / 2,
    tied: (d * (d + 1)) / 2,
    diag: K * d,
    spherical: d > 0 ? K : 0,
    // Rotations of the factors change nothing.
    factor: K * (d * factors + d - (factors * (factors - 1)) / 2),
  }
  return K - 1 + K * (d + others) + perCovariance[covariance]
}
