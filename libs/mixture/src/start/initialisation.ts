import { assignNearest, columnMeans, moveCentres } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { describeType } from '../model/feature-types.ts'
import { exposureColumn, modelColumns } from '../model/model-columns.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { choose, type Random } from '../numerics/random.ts'
import { parametersFromResponsibilities } from './from-responsibilities.ts'
import { kMeansPlusPlus } from './k-means-plus-plus.ts'
import { splitUntil } from './split.ts'

/** Lloyd iterations between k-means++ and EM. */
const LLOYD_ITERATIONS = 3

/**
 * Starting parameters by the specification's `warmUp.initialisation`: a hard or soft clustering of the events, then one M-step.
 * @param block shape (rows ≥ 1, d), model space
 */
export function initialParameters(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  random: Random,
  kernel?: Kernel,
): Parameters {
  const method = specification.warmUp.initialisation
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

/**
 * Events as points of a Euclidean space of comparable axes: numbers as they are (standardised if the model does so), counts (per unit of exposure) and durations bent
 * (see `spread`) and scaled to variance 1, booleans and spikes as 0 and 1, a category as one 0/1 column a value.
 */
function clusteringPoints(specification: ModelSpecification, block: Block, weights: Float64Array | undefined): Block {
  const { features } = specification
  const { count, spikes } = modelColumns(specification)
  if (count === features.length && features.every(feature => feature.type === 'number')) return block
  const columns: Float64Array[] = []
  const columnAt = (j: number) =>
    Float64Array.from({ length: block.rows }, (_, n) => block.values[n * block.columns + j]!)
  features.forEach((feature, j) => {
    const { written, spread, given } = describeType(feature.type)
    if (given) return
    const exposure = exposureColumn(specification, j)
    const exposures = exposure === undefined ? undefined : columnAt(exposure)
    const column = exposures === undefined ? columnAt(j) : columnAt(j).map((x, n) => x / exposures[n]!)
    if (written === 'name')
      for (let c = 0; c < (feature.categories ?? 2); c++)
        columns.push(column.map(x => (Number.isNaN(x) ? x : x === c ? 1 : 0)))
    else columns.push(spread === undefined ? column : scaledToOne(column.map(spread), weights))
  })
  spikes.forEach((_, i) => {
    columns.push(columnAt(features.length + i))
  })
  const values = new Float64Array(block.rows * columns.length)
  columns.forEach((column, j) => {
    for (let n = 0; n < block.rows; n++) values[n * columns.length + j] = column[n]!
  })
  return { rows: block.rows, columns: columns.length, values }
}

function scaledToOne(column: Float64Array, weights: Float64Array | undefined): Float64Array {
  const [mean] = columnMeans({ rows: column.length, columns: 1, values: column }, weights)
  const squares = column.map(x => (x - mean!) ** 2)
  const [variance] = columnMeans({ rows: column.length, columns: 1, values: squares }, weights)
  return variance! > 0 ? column.map(x => x / Math.sqrt(variance!)) : column
}
