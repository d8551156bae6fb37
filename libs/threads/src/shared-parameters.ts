import type { Parameters } from '@eddy/mixture'

/** Names and lengths of the arrays. */
export type ParametersLayout = readonly (readonly [string, number])[]

export const layoutOf = (parameters: Parameters): ParametersLayout =>
  Object.entries(parameters).map(([name, { length }]) => [name, length])

/** Doubles of a cache line: what two threads write lies apart. */
const LINE = 8

/** Doubles that an array takes. */
export const lined = (length: number): number => LINE * Math.ceil(length / LINE)

/** The arrays one after another, from a byte of shared memory on. */
export function parametersIn(layout: ParametersLayout, buffer: SharedArrayBuffer, from: number): Parameters {
  let top = from
  return Object.fromEntries(
    layout.map(([name, length]) => {
      const array = new Float64Array(buffer, top, length)
      top += 8 * lined(length)
      return [name, array]
    }),
  )
}

/** A copy in shared memory, where other threads read and write it without another one. */
export function sharedParameters(parameters: Parameters): Parameters {
  const layout = layoutOf(parameters)
  const doubles = layout.reduce((sum, [, length]) => sum + lined(length), 0)
  const copy = parametersIn(layout, new SharedArrayBuffer(8 * doubles), 0)
  for (const [name, array] of Object.entries(parameters)) copy[name]!.set(array)
  return copy
}

/** Where parameters begin that lie as `parametersIn` has them; undefined if they do not. */
export function beginningOf(parameters: Parameters): Float64Array | undefined {
  const arrays = Object.values(parameters)
  const [first] = arrays
  let top = first?.byteOffset
  for (const { buffer, byteOffset, length } of arrays) {
    if (!(buffer instanceof SharedArrayBuffer) || buffer !== first!.buffer || byteOffset !== top) return undefined
    top += 8 * lined(length)
  }
  return first
}

/** The arrays as new ones in the same memory: a kernel, and whoever remembers what it worked out, knows parameters by the identity of their arrays. */
export const renewed = (parameters: Parameters): Parameters =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { buffer, byteOffset, length }]) => [
      name,
      new Float64Array(buffer, byteOffset, length),
    ]),
  )
