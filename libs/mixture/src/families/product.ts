import { LOWEST_LOG_DENSITY } from '../numerics/log-sum-exp.ts'
import type { Block } from './block.ts'
import type { Family, Moments, Parameters } from './family.ts'

/** One family over some of a block's columns. */
export interface ProductFactor {
  /** its arrays are `name.array` among the product's parameters; unique */
  readonly name: string
  /** places of its columns in the product's block, in the family's order */
  readonly columns: readonly number[]
  /** places of columns that the family reads behind its own without a density of them: other factors may read them too */
  readonly given?: readonly number[]
  readonly family: Family
}

/** A product says what it is made of, so that a kernel can be chosen for it. */
export interface ProductFamily extends Family {
  readonly factors: readonly ProductFactor[]
  /** Each factor's own arrays; the same ones when asked for the same parameters again. */
  split(parameters: Parameters): readonly Parameters[]
}

export const isProduct = (family: Family): family is ProductFamily => 'factors' in family

/**
 * Component densities that are products over blocks of columns: p(x | θ_k) = Π_f p_f(x_f | θ_fk), the blocks being independent given
 * the component. Statistics: the factors' one after the other, each with its own s0. Parameters: the factors', prefixed.
 * @throws if the factors disagree on K, share a name or a column, or leave one out
 */
export function product(factors: readonly ProductFactor[]): ProductFamily {
  const components = check(factors)
  const columns = new Set(factors.flatMap(placesOf)).size
  const offsets = factors.map((_, f) =>
    factors.slice(0, f).reduce((sum, { family }) => sum + family.statisticsLength, 0),
  )
  const statisticsLength = factors.reduce((sum, { family }) => sum + family.statisticsLength, 0)
  const split = parameterSplitter(factors)
  const gather = blockGatherer(factors)
  let scratch = new Float64Array(0)

  return {
    name: 'product',
    factors,
    split,
    components,
    columns,
    statisticsLength,

    initial: (block, weights) => join(factors, f => factors[f]!.family.initial(gather(block, f), weights)),

    observe(into, block, responsibilities, parameters) {
      const parts = split(parameters)
      factors.forEach(({ family }, f) => {
        const own = into.subarray(offsets[f]!, offsets[f]! + family.statisticsLength)
        family.observe(own, gather(block, f), responsibilities, parts[f]!)
      })
    },

    maximise(statistics, prior, previous) {
      const parts = split(previous)
      return join(factors, f => {
        const { family } = factors[f]!
        const own = statistics.subarray(offsets[f]!, offsets[f]! + family.statisticsLength)
        return family.maximise(own, prior, parts[f]!)
      })
    },

    logDensity(parameters, block, out) {
      const parts = split(parameters)
      const size = block.rows * components
      if (scratch.length < size) scratch = new Float64Array(size)
      factors.forEach(({ family }, f) => {
        family.logDensity(parts[f]!, gather(block, f), f === 0 ? out : scratch)
        if (f > 0) addBounded(out, scratch, size)
      })
    },

    moments: parameters => {
      const parts = split(parameters)
      return joinMoments(
        factors.map(({ family, columns: own }, f) => {
          const { columns: inner, ...moments } = family.moments(parts[f]!)
          return { columns: inner.map(j => own[j]!), ...moments }
        }),
        components,
      )
    },

    ...(factors.some(({ family }) => family.floored) && {
      floored: (parameters: Parameters, weights: Float64Array, varianceFloor: number) => {
        const parts = split(parameters)
        const each = factors.map(({ family }, f) => family.floored?.(parts[f]!, weights, varianceFloor) ?? [])
        return Array.from({ length: components }, (_, k) => each.some(floored => floored[k]))
      },
    }),
  }
}

/** The columns that a factor's family reads, in its order. */
const placesOf = ({ columns, given = [] }: ProductFactor): readonly number[] => [...columns, ...given]

function joinMoments(parts: readonly Moments[], components: number): Moments {
  const rows = (of: 'means' | 'variances'): Float64Array =>
    Float64Array.from(
      Array.from({ length: components }, (_, k) =>
        parts.flatMap(part => [...part[of].subarray(k * part.columns.length, (k + 1) * part.columns.length)]),
      ).flat(),
    )
  return {
    columns: Int32Array.from(parts.flatMap(({ columns }) => [...columns])),
    means: rows('means'),
    variances: rows('variances'),
  }
}

/** out ← out + from, element by element, kept above the lowest log density. */
function addBounded(out: Float64Array, from: Float64Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const sum = out[i]! + from[i]!
    // biome-ignore lint/complexity/useMathMinMax: of NaN too this makes the lowest.
    out[i] = sum > LOWEST_LOG_DENSITY ? sum : LOWEST_LOG_DENSITY
  }
}

/** The arrays of one factor, without its prefix. */
export function factorParameters(parameters: Parameters, name: string): Parameters {
  const prefix = `${name}.`
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([key, array]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), array] as const] : [],
    ),
  )
}

function join(factors: readonly ProductFactor[], part: (f: number) => Parameters): Parameters {
  return Object.fromEntries(
    factors.flatMap(({ name }, f) => Object.entries(part(f)).map(([key, array]) => [`${name}.${key}`, array] as const)),
  )
}

/** Splits parameters by factor; the last answer is kept, as a batch asks under the same parameters again and again. */
function parameterSplitter(factors: readonly ProductFactor[]): (parameters: Parameters) => Parameters[] {
  let last: Parameters | undefined
  let parts: Parameters[] = []
  return parameters => {
    if (parameters !== last) {
      parts = factors.map(({ name }) => factorParameters(parameters, name))
      last = parameters
    }
    return parts
  }
}

/** Copies a factor's columns into memory that is used again; the copy is valid until the factor's next one. */
function blockGatherer(factors: readonly ProductFactor[]): (block: Block, f: number) => Block {
  const memory = factors.map(() => new Float64Array(0))
  const all = factors.map(placesOf)
  return (block, f) => {
    const places = all[f]!
    const size = block.rows * places.length
    if (memory[f]!.length < size) memory[f] = new Float64Array(size)
    const values = memory[f]!
    for (let n = 0, t = 0; n < block.rows; n++)
      for (let j = 0; j < places.length; j++) values[t++] = block.values[n * block.columns + places[j]!]!
    return { rows: block.rows, columns: places.length, values: values.subarray(0, size) }
  }
}

function check(factors: readonly ProductFactor[]): number {
  if (factors.length === 0) throw new Error('factors: expected at least one, got none')
  const { components } = factors[0]!.family
  const names = new Set<string>()
  const columns: number[] = []
  const given = new Set(factors.flatMap(factor => factor.given ?? []))
  for (const factor of factors) {
    const { name, columns: own, family } = factor
    const read = placesOf(factor).length
    if (family.components !== components)
      throw new Error(`factors.${name}.components: expected ${components} as the others, got ${family.components}`)
    if (names.has(name)) throw new Error(`factors.${name}: expected a name used once, got it twice`)
    if (read !== family.columns)
      throw new Error(`factors.${name}.columns: expected ${family.columns} of them, got ${read}`)
    names.add(name)
    columns.push(...own)
  }
  columns.push(...given)
  columns.sort((a, b) => a - b)
  if (columns.some((column, j) => column !== j))
    throw new Error(`factors.columns: expected each of 0 … ${columns.length - 1} once, got ${columns.join(', ')}`)
  return components
}
