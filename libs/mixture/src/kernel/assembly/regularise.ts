// Covariances with an eigenvalue below the floor; gaussian/regularise.ts is the specification.
import { storeRow } from './cholesky'
import {
  columns,
  covariances,
  eigenvalues,
  meanPitch,
  overallVariance,
  panels,
  square,
  triangle,
  units,
} from './memory'
import { symmetricEigen } from './symmetric-eigen'

/** Overall variances whose products neither overflow nor underflow. */
const LEAST_VARIANCE: f64 = 1e-150
const MOST_VARIANCE: f64 = 1e150

/**
 * Raises the eigenvalues of V^−½ Σ V^−½ that are below `floor`, in component k's covariance. What is not finite stays so.
 * @returns false if they cannot be found: nothing is changed
 */
export function raiseEigenvalues(k: i32, floor: f64): bool {
  if (!takeUnits()) return false
  const covariance = covariances + (<usize>(k * triangle) << 3)
  scale(covariance)
  if (!symmetricEigen()) return false
  let largest = 0.0
  for (let m: usize = 0; m < <usize>columns << 3; m += 8) largest = max(largest, load<f64>(eigenvalues + m))
  // Rounding in the sum may cost an eigenvalue a few ulps of the largest one; aim that much higher.
  const target = max(floor * (1 + 1e-9), floor + 4 * columns * f64.EPSILON * largest)
  addProducts(covariance, target, keepAbove(target))
  return true
}

/** √v to `units`. @returns false where a product of variances would be out of range */
function takeUnits(): bool {
  for (let j: usize = 0; j < <usize>columns << 3; j += 8) {
    const variance = load<f64>(overallVariance + j)
    if (!(variance > LEAST_VARIANCE && variance < MOST_VARIANCE)) return false
    store<f64>(units + j, sqrt(variance))
  }
  return true
}

/** A packed lower triangle in units of the features, whole to `square`. */
function scale(covariance: usize): void {
  for (let i: usize = 0; i < <usize>columns; i++) {
    const row = square + i * meanPitch
    let mirror = square + (i << 3)
    const unit = load<f64>(units + (i << 3))
    for (let j: usize = 0; j <= i << 3; j += 8, covariance += 8, mirror += meanPitch) {
      const value = load<f64>(covariance) / (unit * load<f64>(units + j))
      store<f64>(row + j, value)
      store<f64>(mirror, value)
    }
    memory.fill(row + (<usize>columns << 3), 0, meanPitch - (<usize>columns << 3))
  }
}

/** Leaves of `square` the eigenvectors z of eigenvalues above the target, as √(λ − target) V^½ z. @returns how many */
function keepAbove(target: f64): i32 {
  let kept = square
  for (let m: usize = 0; m < <usize>columns; m++) {
    const excess = load<f64>(eigenvalues + (m << 3)) - target
    if (!(excess > 0)) continue
    const factor = f64x2.splat(sqrt(excess))
    const row = square + m * meanPitch
    for (let j: usize = 0; j < meanPitch; j += 16)
      v128.store(kept + j, f64x2.mul(f64x2.mul(factor, v128.load(row + j)), v128.load(units + j)))
    kept += meanPitch
  }
  return <i32>((kept - square) / meanPitch)
}

/** target V + Wᵀ W to a packed lower triangle, by tiles of 4 × 4. @param rows of W, the first of `square` */
function addProducts(covariance: usize, target: f64, rows: i32): void {
  const end = square + <usize>rows * meanPitch
  for (let panel = 0; panel < panels; panel++)
    for (let other = 0; other <= panel; other++) {
      let a00 = f64x2.splat(0)
      let a01 = a00
      let a10 = a00
      let a11 = a00
      let a20 = a00
      let a21 = a00
      let a30 = a00
      let a31 = a00
      const apart = <usize>(panel - other) << 5
      for (let x = square + (<usize>other << 5); x < end; x += meanPitch) {
        const x0 = v128.load(x)
        const x1 = v128.load(x, 16)
        const y = x + apart
        let w = v128.load64_splat(y)
        a00 = f64x2.add(a00, f64x2.mul(w, x0))
        a01 = f64x2.add(a01, f64x2.mul(w, x1))
        w = v128.load64_splat(y, 8)
        a10 = f64x2.add(a10, f64x2.mul(w, x0))
        a11 = f64x2.add(a11, f64x2.mul(w, x1))
        w = v128.load64_splat(y, 16)
        a20 = f64x2.add(a20, f64x2.mul(w, x0))
        a21 = f64x2.add(a21, f64x2.mul(w, x1))
        w = v128.load64_splat(y, 24)
        a30 = f64x2.add(a30, f64x2.mul(w, x0))
        a31 = f64x2.add(a31, f64x2.mul(w, x1))
      }
      storeTile(covariance, panel, other, a00, a01, 0)
      storeTile(covariance, panel, other, a10, a11, 1)
      storeTile(covariance, panel, other, a20, a21, 2)
      storeTile(covariance, panel, other, a30, a31, 3)
    }
  let diagonal = covariance
  for (let i: usize = 0; i < <usize>columns; i++) {
    store<f64>(diagonal, load<f64>(diagonal) + target * load<f64>(overallVariance + (i << 3)))
    diagonal += (i + 2) << 3
  }
}

/** Row r of a tile. */
// @ts-ignore: decorator
@inline
function storeTile(covariance: usize, panel: i32, other: i32, z0: v128, z1: v128, r: i32): void {
  const i = (panel << 2) + r
  const first = other << 2
  if (i < columns) storeRow(covariance + (<usize>(((i * (i + 1)) >> 1) + first) << 3), z0, z1, i - first)
}
