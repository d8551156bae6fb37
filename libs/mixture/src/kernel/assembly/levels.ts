// Columns of few different values, each of them a level: log probabilities are looked up by level, responsibilities summed by level.
// A level's K numbers lie side by side, so that one look-up serves all components.
import {
  DENSITY_PITCH,
  additions,
  codes,
  components,
  densities,
  levelPitch,
  levelRows,
  levelSums,
  levelTable,
} from './memory'

/** additions ← Σ_j log p(x_nj | k) of a block of `rows` events with `count` such columns, two events × two components at a time. */
export function lookUp(row: i32, rows: i32, count: i32): void {
  const rowBytes = (<usize>count) << 2
  let event = codes + <usize>row * rowBytes
  let out = additions
  const end = out + (<usize>rows << 3)
  for (; out < end; out += 16, event += 2 * rowBytes) {
    const last = event + rowBytes
    // The second event of an odd last pair is the first one again.
    const next = out + 8 < end ? rowBytes : 0
    let to = out
    for (let at: usize = 0; at < levelPitch; at += 16, to += 2 * DENSITY_PITCH) {
      let a = f64x2.splat(0)
      let b = f64x2.splat(0)
      const table = levelTable + at
      for (let p = event; p < last; p += 4) {
        a = f64x2.add(a, v128.load(table + <usize>load<u32>(p)))
        b = f64x2.add(b, v128.load(table + <usize>load<u32>(p + next)))
      }
      v128.store(to, v128.shuffle<f64>(a, b, 0, 2))
      v128.store(to, v128.shuffle<f64>(a, b, 1, 3), 512)
    }
  }
}

/** densities ← densities + additions of a block. */
export function addLevels(rows: i32): void {
  const bytes = <usize>((rows + 3) & ~3) << 3
  for (let k = 0; k < components; k++) {
    let p = densities + <usize>k * DENSITY_PITCH
    let q = additions + <usize>k * DENSITY_PITCH
    const end = p + bytes
    for (; p < end; p += 32, q += 32) {
      v128.store(p, f64x2.add(v128.load(p), v128.load(q)))
      v128.store(p, f64x2.add(v128.load(p, 16), v128.load(q, 16)), 16)
    }
  }
}

/** Adds each event's responsibilities, which stand in `densities`, to the sums of its levels. */
export function sumLevels(row: i32, rows: i32, count: i32): void {
  transposeResponsibilities(rows)
  let p = codes + ((<usize>row * <usize>count) << 2)
  let r = levelRows
  const end = r + <usize>rows * levelPitch
  for (; r < end; r += levelPitch) {
    const last = p + ((<usize>count) << 2)
    for (; p < last; p += 4) {
      const sum = levelSums + <usize>load<u32>(p)
      for (let at: usize = 0; at < levelPitch; at += 16)
        v128.store(sum + at, f64x2.add(v128.load(sum + at), v128.load(r + at)))
    }
  }
}

/** Responsibilities as [row][k] to `levelRows`. The row behind the last component of `densities` is zeros. */
function transposeResponsibilities(rows: i32): void {
  let p = densities
  let out = levelRows
  const end = p + (<usize>rows << 3)
  for (; p < end; p += 16, out += 2 * levelPitch) {
    let from = p
    for (let at: usize = 0; at < levelPitch; at += 16, from += 2 * DENSITY_PITCH) {
      const a = v128.load(from)
      const b = v128.load(from, 512)
      v128.store(out + at, v128.shuffle<f64>(a, b, 0, 2))
      v128.store(out + at + levelPitch, v128.shuffle<f64>(a, b, 1, 3))
    }
  }
}
