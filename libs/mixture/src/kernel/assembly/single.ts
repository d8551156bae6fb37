// Factors of full covariances in either precision: T is f64, or f32 for scoring.
import {
  components,
  factorPanels,
  meanPitch,
  paddedColumns,
  panels,
  singleMeans,
  singlePanels,
  whitenedMeans,
} from './memory'
import { factorPanelsLength } from './triangular'

/** Panels of component k's L⁻¹. */
// @ts-ignore: decorator
@inline
export function factorsOf<T>(k: i32): usize {
  return (sizeof<T>() == 8 ? factorPanels : singlePanels) + <usize>(k * factorPanelsLength(panels)) * sizeof<T>()
}

/** Component k's u = L⁻¹ (m − c). */
// @ts-ignore: decorator
@inline
export function offsetsOf<T>(k: i32): usize {
  return (sizeof<T>() == 8 ? whitenedMeans : singleMeans) + <usize>(k * paddedColumns) * sizeof<T>()
}

/** Rounds what `factorsOf` and `offsetsOf` point to. */
export function roundFactors(): void {
  demote(factorPanels, singlePanels, components * factorPanelsLength(panels))
  demote(whitenedMeans, singleMeans, components * paddedColumns)
}

/** @param count a multiple of 4 */
function demote(from: usize, to: usize, count: i32): void {
  for (let i = 0; i < count; i += 4, from += 32, to += 16) {
    const low = f32x4.demote_f64x2_zero(v128.load(from))
    const high = f32x4.demote_f64x2_zero(v128.load(from, 16))
    v128.store(to, v128.shuffle<f64>(low, high, 0, 2))
  }
}
