import { type ComponentRange, copyComponents, type Parameters, type Statistics } from '../families/family.ts'
import type { Estimates } from '../families/gaussian/gaussian-kernel.ts'
import type { GaussianLayout } from '../families/gaussian/layout.ts'
import type { Prior } from '../families/prior.ts'
import type { KernelInstance, KernelMemory } from './loaded-kernel.ts'
import { kernelShape } from './shape.ts'

/**
 * The M-step of full, diagonal and spherical components by the compiled kernel: of all but those that have no
 * finite statistics, or a singular matrix and no floor.
 * @param only the components to estimate; the rows of others are void, or as they were in `into`
 * @param into written to
 * @returns arrays of `into`, or new ones, or undefined where the kernel does not know the form
 */
export function compiledMaximise(
  instance: KernelInstance,
  layout: GaussianLayout,
  statistics: Statistics,
  prior: Prior,
  previous: Parameters,
  only: ComponentRange,
  into?: Parameters,
): Estimates | undefined {
  if (layout.covariance === 'tied' || layout.covariance === 'factor') return undefined
  const { exports, memory } = instance.layOut(kernelShape(layout), 1)
  const { from, to } = only
  memory.statistics.set(statistics)
  memory.reference.set(previous.reference!)
  const { meanPseudoEvents, covariancePseudoEvents, varianceFloor } = prior
  const done = exports.maximise(meanPseudoEvents, covariancePseudoEvents, varianceFloor, from, to)
  const estimates = into === undefined ? newEstimates(memory) : writeEstimates(memory, layout.components, only, into)
  const left: number[] = []
  if (done < to - from) for (let k = from; k < to; k++) if (memory.settled[k] === 0) left.push(k)
  for (const k of left)
    for (const [name, array] of Object.entries(estimates))
      copyComponents(array, previous[name]!, layout.components, { from: k, to: k + 1 })
  return { ...estimates, left }
}

function writeEstimates(
  { estimatedMeans, covariances, factors, logDeterminants }: KernelMemory,
  components: number,
  only: ComponentRange,
  into: Parameters,
) {
  const write = (name: string, from: Float64Array): Float64Array => {
    copyComponents(into[name]!, from, components, only)
    return into[name]!
  }
  return {
    means: write('means', estimatedMeans),
    covariances: write('covariances', covariances),
    precisionsCholesky: write('precisionsCholesky', factors),
    logDeterminants: write('logDeterminants', logDeterminants),
  }
}

/** One copy of the four arrays, which lie together: to allocate it takes longer than to fill it. */
function newEstimates({ estimatedMeans, covariances, factors, logDeterminants }: KernelMemory) {
  const from = estimatedMeans.byteOffset
  const to = logDeterminants.byteOffset + logDeterminants.byteLength
  const all = new Float64Array((to - from) / 8)
  all.set(new Float64Array(estimatedMeans.buffer, from, all.length))
  const part = ({ byteOffset, length }: Float64Array) => {
    const start = (byteOffset - from) / 8
    return all.subarray(start, start + length)
  }
  return {
    means: part(estimatedMeans),
    covariances: part(covariances),
    precisionsCholesky: part(factors),
    logDeterminants: part(logDeterminants),
  }
}
