import { assignNearest, columnMeans, moveCentres } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Initialisation, ModelSpecification } from '../model/specification.ts'
import { choose, type Random } from '../numerics/random.ts'
import { clusteringPoints } from './clustering-points.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'
import { kMeansPlusPlus } from './k-means-plus-plus.ts'
import { splitUntil } from './split.ts'

/** Lloyd iterations between k-means++ and EM. */
const LLOYD_ITERATIONS = 3

/**
 * Starting parameters: a hard or soft clustering of the events, then one M-step.
 * @param block shape (rows ≥ 1, d), model space
 */
export function initialParameters(
  specification: ModelSpecification,
  method: Exclude<Initialisation, 'auto'>,
  block: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel?: Kernel,
): Parameters {
  const points = clusteringPoints(specification, block, weights)
  const responsibilities =
    method === 'split'
      ? splitUntil(specification, block, points, weights, random, kernel)
      : centreResponsibilities(specification.components, points, weights, random, method === 'kmeans++')
  return parametersFromResponsibilities(specification, block, weights, responsibilities, kernel)
}

function centreResponsibilities(
  components: number,
  points: Block,
  weights: Float64Array | undefined,
  random: Random,
  seeded: boolean,
): Float64Array {
  const responsibilities = new Float64Array(points.rows * components)
  if (!seeded) {
    assignNearest(points, weights, randomCentres(points, weights, components, random), components, responsibilities)
    return responsibilities
  }
  const centres = kMeansPlusPlus(points, weights, components, random)
  assignNearest(points, weights, centres, components, responsibilities)
  for (let i = 0; i < LLOYD_ITERATIONS; i++) {
    moveCentres(points, responsibilities, centres, components)
    assignNearest(points, weights, centres, components, responsibilities)
  }
  return responsibilities
}

function randomCentres(
  points: Block,
  weights: Float64Array | undefined,
  components: number,
  random: Random,
): Float64Array {
  const { rows, columns: d } = points
  const means = columnMeans(points, weights)
  const odds = weights ?? new Float64Array(rows).fill(1)
  const centres = new Float64Array(components * d)
  for (let k = 0; k < components; k++) {
    const row = choose(odds, random)
    for (let j = 0; j < d; j++) {
      const x = points.values[row * d + j]!
      centres[k * d + j] = Number.isNaN(x) ? means[j]! : x
    }
  }
  return centres
}
