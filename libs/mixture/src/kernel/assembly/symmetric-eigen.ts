// Eigenvalues and eigenvectors of a symmetric matrix: Householder tridiagonalisation, then implicit QL (EISPACK tred2 and tql2);
// numerics/symmetric-eigen.ts is the specification. Matrices are kept whole and vectors as rows, so that inner loops run along rows.
import { columns, eigenvalues, halfNorms, meanPitch, offDiagonal, product, square } from './memory'

/** ‖u‖² of a row that counts as zero, in the matrix's units: its square root is lost beside anything, and squares near it are normal. */
const NOTHING: f64 = 1e-200
/** Sweeps an eigenvalue: far beyond what QL needs, and a bound where it does not converge. */
const MOST_SWEEPS: i32 = 50

/**
 * Of the symmetric matrix in `square`: eigenvalues in no order to `eigenvalues`, and over the matrix its eigenvectors, one a row.
 * @returns whether QL has converged
 */
export function symmetricEigen(): bool {
  tridiagonalise()
  accumulateReflections()
  return implicitQl()
}

// @ts-ignore: decorator
@inline
function row(i: i32): usize {
  return square + <usize>i * meanPitch
}

// @ts-ignore: decorator
@inline
function at(vector: usize, i: i32): usize {
  return vector + (<usize>i << 3)
}

/** Bytes of n doubles, rounded up to 4 doubles. Behind n, one of two factors is 0 in every loop. */
// @ts-ignore: decorator
@inline
function bytesOf(n: i32): usize {
  return <usize>((n + 3) & ~3) << 3
}

function dot(a: usize, b: usize, bytes: usize): f64 {
  let s0 = f64x2.splat(0)
  let s1 = s0
  for (const end = a + bytes; a < end; a += 32, b += 32) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(a), v128.load(b)))
    s1 = f64x2.add(s1, f64x2.mul(v128.load(a, 16), v128.load(b, 16)))
  }
  s0 = f64x2.add(s0, s1)
  return f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1)
}

/** y += a x */
function addScaled(y: usize, a: f64, x: usize, bytes: usize): void {
  const factor = f64x2.splat(a)
  for (const end = y + bytes; y < end; y += 16, x += 16)
    v128.store(y, f64x2.add(v128.load(y), f64x2.mul(factor, v128.load(x))))
}

/** y −= a p + b u */
function subtractTwo(y: usize, a: f64, p: usize, b: f64, u: usize, bytes: usize): void {
  const forP = f64x2.splat(a)
  const forU = f64x2.splat(b)
  for (const end = y + bytes; y < end; y += 16, p += 16, u += 16) {
    const change = f64x2.add(f64x2.mul(forP, v128.load(p)), f64x2.mul(forU, v128.load(u)))
    v128.store(y, f64x2.sub(v128.load(y), change))
  }
}

/** (x, y) ← (c x − s y, s x + c y) */
function rotate(x: usize, y: usize, c: f64, s: f64, bytes: usize): void {
  const cosine = f64x2.splat(c)
  const sine = f64x2.splat(s)
  for (const end = x + bytes; x < end; x += 16, y += 16) {
    const v = v128.load(x)
    const w = v128.load(y)
    v128.store(x, f64x2.sub(f64x2.mul(cosine, v), f64x2.mul(sine, w)))
    v128.store(y, f64x2.add(f64x2.mul(sine, v), f64x2.mul(cosine, w)))
  }
}

/**
 * A ← P A P for P = I − u uᵀ / h, h = ‖u‖² / 2, from the last row up: row i keeps u (zeros from i on), `halfNorms` h or 0 for P = I,
 * `eigenvalues` and `offDiagonal` (from 1 on) the tridiagonal matrix.
 */
function tridiagonalise(): void {
  memory.fill(product, 0, meanPitch)
  for (let i = columns - 1; i > 0; i--) {
    const u = row(i)
    const last = at(u, i - 1)
    const bytes = bytesOf(i)
    store<f64>(at(eigenvalues, i), load<f64>(at(u, i)))
    store<f64>(at(u, i), 0)
    store<f64>(at(product, i), 0)
    let h = dot(u, u, bytes)
    const isNothing = h <= NOTHING
    const f = load<f64>(last)
    const g = f > 0 ? -sqrt(h) : sqrt(h)
    h -= f * g
    store<f64>(at(halfNorms, i), isNothing ? 0 : h)
    store<f64>(at(offDiagonal, i), isNothing ? 0 : g)
    if (!isNothing) {
      store<f64>(last, f - g)
      // p = A u / h, q = p − u uᵀp / 2h, A ← A − u qᵀ − q uᵀ.
      for (let k = 0; k < i; k++) store<f64>(at(product, k), dot(row(k), u, bytes) / h)
      addScaled(product, -dot(product, u, bytes) / (h + h), u, bytes)
      for (let k = 0; k < i; k++) subtractTwo(row(k), load<f64>(at(u, k)), product, load<f64>(at(product, k)), u, bytes)
    }
    for (let k = 0; k < i; k++) store<f64>(at(row(k), i), 0)
  }
  store<f64>(eigenvalues, load<f64>(square))
}

/** The product of all reflections, transposed, over their vectors. */
function accumulateReflections(): void {
  store<f64>(square, 1)
  for (let i = 1; i < columns; i++) {
    const u = row(i)
    const h = load<f64>(at(halfNorms, i))
    const bytes = bytesOf(i)
    if (h > 0) for (let j = 0; j < i; j++) addScaled(row(j), -dot(row(j), u, bytes) / h, u, bytes)
    memory.fill(u, 0, meanPitch)
    store<f64>(at(u, i), 1)
  }
}

/** Diagonalises the tridiagonal matrix, rotating the rows of `square`. @returns whether it has converged */
function implicitQl(): bool {
  const last = columns - 1
  for (let i = 0; i < last; i++) store<f64>(at(offDiagonal, i), load<f64>(at(offDiagonal, i + 1)))
  store<f64>(at(offDiagonal, last), 0)
  let shift = 0.0
  let size = 0.0
  for (let l = 0; l < columns; l++) {
    size = max(size, abs(load<f64>(at(eigenvalues, l))) + abs(load<f64>(at(offDiagonal, l))))
    for (let sweep = 0; ; sweep++) {
      let m = l
      while (m < last && abs(load<f64>(at(offDiagonal, m))) > f64.EPSILON * size) m++
      if (m == l) break
      if (sweep == MOST_SWEEPS) return false
      shift += shiftOf(l)
      chase(l, m)
    }
    store<f64>(at(eigenvalues, l), load<f64>(at(eigenvalues, l)) + shift)
  }
  return true
}

/** Subtracts the shift of the leading 2 × 2 block of rows from l on. @returns it */
function shiftOf(l: i32): f64 {
  const g = load<f64>(at(eigenvalues, l))
  const e = load<f64>(at(offDiagonal, l))
  const p = (load<f64>(at(eigenvalues, l + 1)) - g) / (2 * e)
  const t = p < 0 ? p - sqrt(p * p + 1) : p + sqrt(p * p + 1)
  const h = g - e / t
  store<f64>(at(eigenvalues, l), e / t)
  store<f64>(at(eigenvalues, l + 1), e * t)
  for (let i = l + 2; i < columns; i++) store<f64>(at(eigenvalues, i), load<f64>(at(eigenvalues, i)) - h)
  return h
}

/** A QL step of the shifted rows l … m, by rotations from m up. */
function chase(l: i32, m: i32): void {
  const next = load<f64>(at(eigenvalues, l + 1))
  const after = load<f64>(at(offDiagonal, l + 1))
  let p = load<f64>(at(eigenvalues, m))
  let c = 1.0
  let c2 = 1.0
  let c3 = 1.0
  let s = 0.0
  let s2 = 0.0
  for (let i = m - 1; i >= l; i--) {
    c3 = c2
    c2 = c
    s2 = s
    const e = load<f64>(at(offDiagonal, i))
    const d = load<f64>(at(eigenvalues, i))
    const g = c * e
    const h = c * p
    const r = sqrt(p * p + e * e)
    store<f64>(at(offDiagonal, i + 1), s * r)
    s = e / r
    c = p / r
    p = c * d - s * g
    store<f64>(at(eigenvalues, i + 1), h + s * (c * g + s * d))
    rotate(row(i), row(i + 1), c, s, meanPitch)
  }
  p = (-s * s2 * c3 * after * load<f64>(at(offDiagonal, l))) / next
  store<f64>(at(offDiagonal, l), s * p)
  store<f64>(at(eigenvalues, l), c * p)
}
