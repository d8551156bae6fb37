import { logGamma } from '../../numerics/special.ts'

/** The degrees of freedom that are chosen among; the last cannot be told from a normal distribution. */
export const DEGREES = Float64Array.of(2.5, 4, 7, 15, 1e4)

/** Where the choice begins. */
export const STARTING_PLACE = 2

/** log Γ((ν+d)/2) − log Γ(ν/2) − d/2 log(πν), nats: what the log density of a t of d columns has beside its scale and its distance. */
export function logNormaliser(nu: number, d: number): number {
  return logGamma((nu + d) / 2) - logGamma(nu / 2) - 0.5 * d * Math.log(nu * Math.PI)
}

/** Σ r log t of each of the degrees, but for the scale, which they share. @returns a function that adds those of one event, of `size` observed columns */
export function gridLikelihoods(columns: number) {
  const G = DEGREES.length
  const normalisers = Float64Array.from({ length: (columns + 1) * G }, (_, i) =>
    logNormaliser(DEGREES[i % G]!, Math.floor(i / G)),
  )
  /** @param into written to, from `to` on */
  return (into: Float64Array, to: number, r: number, distance: number, size: number): void => {
    for (let g = 0; g < G; g++) {
      const nu = DEGREES[g]!
      into[to + g]! += r * (normalisers[size * G + g]! - 0.5 * (nu + size) * Math.log1p(distance / nu))
    }
  }
}

/** ν one place of the grid nearer to the most probable one. @param from where the likelihoods of the component begin */
export function nearerDegrees(likelihoods: Float64Array, from: number, nu: number): number {
  let best = 0
  for (let g = 1; g < DEGREES.length; g++) if (likelihoods[from + g]! > likelihoods[from + best]!) best = g
  const place = DEGREES.indexOf(nu)
  return DEGREES[place + Math.sign(best - place)]!
}
