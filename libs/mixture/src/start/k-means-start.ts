import { assignNearest, moveCentres, relocateEmpty } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { applyTransform, estimateTransform } from '../model/transform.ts'
import type { Random } from '../numerics/random.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'
import { kMeansPlusPlus } from './k-means-plus-plus.ts'

/** Most rounds of Lloyd's algorithm of each run; they end where no event changes its centre. */
const rounds = 300

/**
 * Where k-means begins: the centres of the least inertia among `warmUp.restarts` runs from k-means++, in model space.
 * @param block shape (rows, d), user's units
 * @returns parameters with the transform's arrays and `centres` (K, d)
 */
export function kMeansStart(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel?: Kernel,
): Parameters {
  const { components, features } = specification
  const exposed = features.find(({ exposure }) => exposure !== undefined)
  if (exposed !== undefined)
    throw new Error(
      `features.${exposed.name}.exposure: expected none for k-means, which has distances and no rates, got ${exposed.exposure}; another algorithm learns them`,
    )
  const transform = estimateTransform(specification, block, weights)
  const points = applyTransform(specification, transform, block).block
  const runs = Array.from({ length: specification.warmUp.restarts }, () => lloyd(points, weights, components, random))
  const { centres, responsibilities } = runs.reduce((best, run) => (run.inertia < best.inertia ? run : best))
  const parameters = parametersFromResponsibilities(specification, points, weights, responsibilities, kernel)
  return { ...parameters, ...transform, centres }
}

function lloyd(points: Block, weights: Float64Array | undefined, components: number, random: Random) {
  const centres = kMeansPlusPlus(points, weights, components, random)
  const responsibilities = new Float64Array(points.rows * components)
  let inertia = assignNearest(points, weights, centres, components, responsibilities)
  for (let round = 0; round < rounds; round++) {
    relocateEmpty(points, centres, components, responsibilities)
    moveCentres(points, responsibilities, centres, components)
    const next = assignNearest(points, weights, centres, components, responsibilities)
    if (!(next < inertia)) break
    inertia = next
  }
  return { centres, responsibilities, inertia }
}
