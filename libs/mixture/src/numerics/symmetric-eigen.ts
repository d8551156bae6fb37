/**
 * Eigenvalues (ascending) and eigenvectors of a symmetric matrix: Householder tridiagonalisation, then implicit QL
 * (EISPACK tred2 and tql2; Bowdler, Martin, Reinsch & Wilkinson 1968).
 * @param square d × d row-major, symmetric, finite
 * @returns `values` (d) ascending, `vectors` (d, d) row-major, eigenvector m in column m
 */
export function symmetricEigen(square: Float64Array, d: number): { values: Float64Array; vectors: Float64Array } {
  const vectors = square.slice(0, d * d)
  const values = new Float64Array(d)
  const offDiagonal = new Float64Array(d)
  tridiagonalise(vectors, values, offDiagonal, d)
  implicitQl(vectors, values, offDiagonal, d)
  return { values, vectors }
}

function tridiagonalise(v: Float64Array, diagonal: Float64Array, off: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) diagonal[j] = v[(n - 1) * n + j]!
  for (let i = n - 1; i > 0; i--) {
    let scale = 0
    let h = 0
    for (let k = 0; k < i; k++) scale += Math.abs(diagonal[k]!)
    if (scale === 0) {
      off[i] = diagonal[i - 1]!
      for (let j = 0; j < i; j++) {
        diagonal[j] = v[(i - 1) * n + j]!
        v[i * n + j] = 0
        v[j * n + i] = 0
      }
    } else {
      for (let k = 0; k < i; k++) {
        diagonal[k]! /= scale
        h += diagonal[k]! * diagonal[k]!
      }
      let f = diagonal[i - 1]!
      let g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h)
      off[i] = scale * g
      h -= f * g
      diagonal[i - 1] = f - g
      off.fill(0, 0, i)
      for (let j = 0; j < i; j++) {
        f = diagonal[j]!
        v[j * n + i] = f
        g = off[j]! + v[j * n + j]! * f
        for (let k = j + 1; k < i; k++) {
          g += v[k * n + j]! * diagonal[k]!
          off[k]! += v[k * n + j]! * f
        }
        off[j] = g
      }
      f = 0
      for (let j = 0; j < i; j++) {
        off[j]! /= h
        f += off[j]! * diagonal[j]!
      }
      const hh = f / (h + h)
      for (let j = 0; j < i; j++) off[j]! -= hh * diagonal[j]!
      for (let j = 0; j < i; j++) {
        f = diagonal[j]!
        g = off[j]!
        for (let k = j; k < i; k++) v[k * n + j]! -= f * off[k]! + g * diagonal[k]!
        diagonal[j] = v[(i - 1) * n + j]!
        v[i * n + j] = 0
      }
    }
    diagonal[i] = h
  }
  accumulateTransformations(v, diagonal, off, n)
}

function accumulateTransformations(v: Float64Array, diagonal: Float64Array, off: Float64Array, n: number): void {
  for (let i = 0; i < n - 1; i++) {
    v[(n - 1) * n + i] = v[i * n + i]!
    v[i * n + i] = 1
    const h = diagonal[i + 1]!
    if (h !== 0) {
      for (let k = 0; k <= i; k++) diagonal[k] = v[k * n + i + 1]! / h
      for (let j = 0; j <= i; j++) {
        let g = 0
        for (let k = 0; k <= i; k++) g += v[k * n + i + 1]! * v[k * n + j]!
        for (let k = 0; k <= i; k++) v[k * n + j]! -= g * diagonal[k]!
      }
    }
    for (let k = 0; k <= i; k++) v[k * n + i + 1] = 0
  }
  for (let j = 0; j < n; j++) {
    diagonal[j] = v[(n - 1) * n + j]!
    v[(n - 1) * n + j] = 0
  }
  v[n * n - 1] = 1
  off[0] = 0
}

function implicitQl(v: Float64Array, diagonal: Float64Array, off: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) off[i - 1] = off[i]!
  off[n - 1] = 0
  let shift = 0
  let size = 0
  for (let l = 0; l < n; l++) {
    size = Math.max(size, Math.abs(diagonal[l]!) + Math.abs(off[l]!))
    let m = l
    while (m < n - 1 && Math.abs(off[m]!) > Number.EPSILON * size) m++
    // 50 sweeps are far beyond what QL needs; the bound only keeps hostile input from looping.
    for (let sweep = 0; m > l && sweep < 50 && Math.abs(off[l]!) > Number.EPSILON * size; sweep++) {
      let g = diagonal[l]!
      let p = (diagonal[l + 1]! - g) / (2 * off[l]!)
      let r = p < 0 ? -Math.hypot(p, 1) : Math.hypot(p, 1)
      diagonal[l] = off[l]! / (p + r)
      diagonal[l + 1] = off[l]! * (p + r)
      const next = diagonal[l + 1]!
      let h = g - diagonal[l]!
      for (let i = l + 2; i < n; i++) diagonal[i]! -= h
      shift += h
      p = diagonal[m]!
      let c = 1
      let c2 = c
      let c3 = c
      const after = off[l + 1]!
      let s = 0
      let s2 = 0
      for (let i = m - 1; i >= l; i--) {
        c3 = c2
        c2 = c
        s2 = s
        g = c * off[i]!
        h = c * p
        r = Math.hypot(p, off[i]!)
        off[i + 1] = s * r
        s = off[i]! / r
        c = p / r
        p = c * diagonal[i]! - s * g
        diagonal[i + 1] = h + s * (c * g + s * diagonal[i]!)
        for (let k = 0; k < n; k++) {
          h = v[k * n + i + 1]!
          v[k * n + i + 1] = s * v[k * n + i]! + c * h
          v[k * n + i] = c * v[k * n + i]! - s * h
        }
      }
      p = (-s * s2 * c3 * after * off[l]!) / next
      off[l] = s * p
      diagonal[l] = c * p
    }
    diagonal[l]! += shift
    off[l] = 0
  }
  sortAscending(v, diagonal, n)
}

function sortAscending(v: Float64Array, values: Float64Array, n: number): void {
  for (let i = 0; i < n - 1; i++) {
    let least = i
    for (let j = i + 1; j < n; j++) if (values[j]! < values[least]!) least = j
    if (least === i) continue
    const value = values[least]!
    values[least] = values[i]!
    values[i] = value
    for (let k = 0; k < n; k++) {
      const entry = v[k * n + i]!
      v[k * n + i] = v[k * n + least]!
      v[k * n + least] = entry
    }
  }
}
