import { columnMeans } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import { describeType } from '../model/feature-types.ts'
import { exposureColumn, modelColumns } from '../model/model-columns.ts'
import type { ModelSpecification } from '../model/specification.ts'

/**
 * Events as points of a Euclidean space of comparable axes: numbers as they are (standardised if the model does so), counts (per unit of
 * exposure) and durations bent (see `spread`) and scaled to variance 1, booleans and spikes as 0 and 1, a category as one 0/1 column a value.
 */
export function clusteringPoints(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
): Block {
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
