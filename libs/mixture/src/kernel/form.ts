import { isLevelled, type Levels } from '../families/discrete/levels.ts'
import type { Family, Parameters } from '../families/family.ts'
import type { GaussianFamily } from '../families/gaussian/gaussian.ts'
import { hasCells } from '../families/gaussian/gaussian-with-cells.ts'
import { isProduct } from '../families/product.ts'
import { LEVELLED_ROWS } from './loaded-kernel.ts'
import { type KernelShape, kernelShape } from './shape.ts'

/** A part of the statistics. */
interface StatisticsRange {
  readonly from: number
  readonly to: number
}

/** Columns of levels of one family. */
export interface LevelColumns {
  readonly levels: Levels
  /** places of the columns in a block */
  readonly places: readonly number[]
  readonly statistics: StatisticsRange
  /** the family's arrays among a mixture's */
  parameters(parameters: Parameters): Parameters
}

/** Components as the compiled kernel sees them: gaussian numbers, and columns of levels: other families', and the variances of the numbers' cells. */
export interface KernelForm {
  readonly shape: KernelShape
  /** places of the numbers in a block; undefined if they are all there is */
  readonly places: readonly number[] | undefined
  readonly statistics: StatisticsRange
  readonly levelled: readonly LevelColumns[]
  /** the numbers' arrays among a mixture's */
  parameters(parameters: Parameters): Parameters
}

const isGaussian = (family: Family): family is GaussianFamily => 'layout' in family

/** The form of a gaussian family, or of its product with columns of levels; undefined for what the kernel does not know. */
export function kernelForm(family: Family): KernelForm | undefined {
  if (isGaussian(family)) {
    const statistics = { from: 0, to: family.statisticsLength }
    return {
      shape: kernelShape(family.layout),
      places: undefined,
      statistics,
      levelled: [],
      parameters: parameters => parameters,
    }
  }
  const numbers: Omit<KernelForm, 'levelled'>[] = []
  const levelled: LevelColumns[] = []
  let from = 0
  for (const { family: factor, columns: places, parameters } of factorsOf(family)) {
    const statistics = { from, to: from + factor.statisticsLength }
    from = statistics.to
    if (isLevelled(factor)) levelled.push({ levels: factor.levels, places, statistics, parameters })
    else if (isGaussian(factor)) numbers.push({ shape: kernelShape(factor.layout), places, statistics, parameters })
    else if (hasCells(factor)) {
      const { layout } = factor.gaussian
      const own = places.slice(0, layout.columns)
      numbers.push({ shape: kernelShape(layout), places: own, statistics, parameters })
      // The cells' sums are part of the gaussian's own statistics.
      levelled.push({ levels: factor.cellLevels, places: places.slice(layout.columns), statistics, parameters })
    } else return undefined
  }
  const [number, another] = numbers
  if (number === undefined || another !== undefined) return undefined
  const levelColumns = levelled.reduce((sum, { places }) => sum + places.length, 0)
  const most = levelled.reduce((sum, { levels }) => sum + levels.most(LEVELLED_ROWS), 1)
  const shape = { ...number.shape, levelColumns, levels: levelColumns > 0 ? most : 0 }
  return { ...number, shape, levelled }
}

/** A product's factors; any other family as the only one of its own. */
function factorsOf(family: Family) {
  if (isProduct(family))
    return family.factors.map((factor, f) => ({ ...factor, parameters: (all: Parameters) => family.split(all)[f]! }))
  const columns = Array.from({ length: family.columns }, (_, j) => j)
  return [{ family, columns, parameters: (all: Parameters) => all }]
}
