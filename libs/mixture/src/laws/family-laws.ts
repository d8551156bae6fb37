import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import {
  type ComponentRange,
  empty,
  type Family,
  merge,
  type Parameters,
  type Statistics,
  scale,
} from '../families/family.ts'
import type { Prior } from '../families/prior.ts'
import { DEFAULT_PRIOR } from '../model/specification.ts'
import { type Random, random } from '../numerics/random.ts'

/** A family under test: how to make one, and what its data look like. */
export interface LawSubject {
  readonly make: (components: number, columns: number) => Family
  /** One observed value of column j. `group` 0 … 2 lets rows form clusters. */
  readonly value: (random: Random, j: number, group: number) => number
  /** How many of the columns are values of the event, if not all: the others say how sure those are, and have no moments. */
  readonly valueColumns?: (columns: number) => number
  /** Does the family take numbers of any size? Then rows with ±1e150 are tried too. */
  readonly unbounded?: boolean
  /** false where the M-step only approximates the maximum: its likelihood may then fall by rounding of that approximation */
  readonly monotoneTolerance?: number
}

/** One case: sizes and a seed, from which the numbers follow. */
export interface LawCase {
  readonly seed: number
  readonly components: number
  readonly columns: number
  readonly rows: number
  readonly flavour: Flavour
  /** share of values that are missing */
  readonly missing: number
}

type Flavour = 'plain' | 'duplicates' | 'constant column' | 'far' | 'all missing rows'

export interface LawOptions {
  /** cases a law */
  readonly runs: number
  readonly columns: readonly number[]
  readonly maxRows?: number
  /** milliseconds a law, default 120,000 */
  readonly timeout?: number
}

const lawCase = (options: LawOptions, subject: LawSubject): fc.Arbitrary<LawCase> =>
  fc.record({
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    components: fc.integer({ min: 1, max: 4 }),
    columns: fc.constantFrom(...options.columns),
    rows: fc.integer({ min: 1, max: options.maxRows ?? 12 }),
    flavour: fc.constantFrom<Flavour>(
      'plain',
      'plain',
      'duplicates',
      'constant column',
      'all missing rows',
      ...(subject.unbounded ? (['far'] as const) : []),
    ),
    missing: fc.constantFrom(0, 0, 0.2, 0.7),
  })

/** What a case holds: a family, a block, soft responsibilities and parameters from one M-step. */
function build(subject: LawSubject, input: LawCase) {
  const uniform = random(input.seed)
  const family = subject.make(input.components, input.columns)
  const block = sampleBlock(subject, input, uniform)
  const responsibilities = sampleResponsibilities(input.rows, input.components, uniform)
  const initial = family.initial(block)
  const statistics = empty(family)
  family.observe(statistics, block, responsibilities, initial)
  const parameters = family.maximise(statistics, DEFAULT_PRIOR, initial)
  return { family, block, responsibilities, initial, parameters, uniform }
}

function sampleBlock(subject: LawSubject, input: LawCase, uniform: Random): Block {
  const { rows, columns, flavour } = input
  const values = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const group = Math.floor(uniform() * 3)
    for (let j = 0; j < columns; j++) values[n * columns + j] = subject.value(uniform, j, group)
  }
  if (flavour === 'duplicates')
    for (let n = 1; n < rows; n++) values.copyWithin(n * columns, (n % 2) * columns, (n % 2) * columns + columns)
  if (flavour === 'constant column') for (let n = 1; n < rows; n++) values[n * columns] = values[0]!
  if (flavour === 'far') for (let n = 0; n < rows; n += 3) values[n * columns] = (n % 2 === 0 ? 1 : -1) * 1e150
  for (let i = 0; i < values.length; i++) if (uniform() < input.missing) values[i] = Number.NaN
  if (flavour === 'all missing rows') values.fill(Number.NaN, 0, Math.ceil(rows / 2) * columns)
  return { rows, columns, values }
}

/** Rows that sum to 1, some of them hard. */
function sampleResponsibilities(rows: number, components: number, uniform: Random): Float64Array {
  const out = new Float64Array(rows * components)
  for (let n = 0; n < rows; n++) {
    const hard = uniform() < 0.2
    if (hard) {
      out[n * components + Math.floor(uniform() * components)] = 1
      continue
    }
    let sum = 0
    for (let k = 0; k < components; k++) sum += out[n * components + k] = uniform() ** 3 + 1e-3
    for (let k = 0; k < components; k++) out[n * components + k]! /= sum
  }
  return out
}

/** Largest difference as a share of the largest magnitude in either array. */
export function relativeError(actual: Float64Array, expected: Float64Array): number {
  let size = Number.MIN_VALUE
  let error = 0
  for (let i = 0; i < actual.length; i++) {
    if (!Number.isFinite(actual[i]!) || !Number.isFinite(expected[i]!)) return Infinity
    size = Math.max(size, Math.abs(actual[i]!), Math.abs(expected[i]!))
    error = Math.max(error, Math.abs(actual[i]! - expected[i]!))
  }
  return error / size
}

/**
 * The error of statistics or parameters, array by array of the family's own layout: parameters by name, statistics as
 * one vector in which every component's part is compared by its own size.
 */
export function parametersError(actual: Parameters, expected: Parameters): number {
  return Math.max(...Object.keys(expected).map(name => relativeError(actual[name]!, expected[name]!)))
}

const observed = (family: Family, block: Block, responsibilities: Float64Array, parameters: Parameters): Statistics => {
  const statistics = empty(family)
  family.observe(statistics, block, responsibilities, parameters)
  return statistics
}

const part = (block: Block, from: number, to: number): Block => ({
  rows: to - from,
  columns: block.columns,
  values: block.values.subarray(from * block.columns, to * block.columns),
})

/** At least one of K components, side by side. */
function someComponents(uniform: Random, components: number): ComponentRange {
  const from = Math.floor(uniform() * components)
  return { from, to: from + 1 + Math.floor(uniform() * (components - from)) }
}

const allFinite = (parameters: Parameters): boolean =>
  Object.values(parameters).every(array => array.every(Number.isFinite))

/** Laws of every family, as reusable properties. A law that does not hold prints the smallest case found. */
export function familyLaws(name: string, subject: LawSubject, options: LawOptions): void {
  const law = (title: string, property: (input: LawCase) => void) =>
    test(
      title,
      () => {
        fc.assert(fc.property(lawCase(options, subject), property), { numRuns: options.runs })
      },
      options.timeout ?? 120_000,
    )

  describe(`laws of ${name}`, () => {
    law('statistics begin with the weight of each component', input => {
      const { family, block, responsibilities, parameters } = build(subject, input)
      const statistics = observed(family, block, responsibilities, parameters)
      const weights = new Float64Array(input.components)
      for (let i = 0; i < responsibilities.length; i++) weights[i % input.components]! += responsibilities[i]!
      expect(relativeError(statistics.slice(0, input.components), weights)).toBeLessThanOrEqual(1e-12)
    })

    law('moments: a finite mean and variance of every column in every component', input => {
      const { family, parameters } = build(subject, input)
      const { columns, means, variances } = family.moments(parameters)
      expect([...new Set(columns)].toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: subject.valueColumns?.(family.columns) ?? family.columns }, (_, j) => j),
      )
      expect([means.length, variances.length]).toEqual(new Array(2).fill(input.components * columns.length))
      expect(means.every(Number.isFinite)).toBe(true)
      expect(variances.every(variance => variance >= 0 && variance < Infinity)).toBe(true)
    })

    law('statistics of A++B are the merge of the two', input => {
      const { family, block, responsibilities, parameters, uniform } = build(subject, input)
      const cut = Math.floor(uniform() * (input.rows + 1))
      const whole = observed(family, block, responsibilities, parameters)
      const left = observed(family, part(block, 0, cut), responsibilities.slice(0, cut * input.components), parameters)
      const right = observed(
        family,
        part(block, cut, input.rows),
        responsibilities.slice(cut * input.components),
        parameters,
      )
      expect(relativeError(merge(left.slice(), right), whole)).toBeLessThanOrEqual(1e-12)
      // commutative bit for bit; empty is the identity
      expect(merge(left.slice(), right)).toEqual(merge(right.slice(), left))
      expect(merge(left.slice(), empty(family))).toEqual(left)
    })

    law('merge is associative, scale distributes over it', input => {
      const { family, block, responsibilities, parameters } = build(subject, input)
      const a = observed(family, block, responsibilities, parameters)
      const b = scale(a.slice(), 1 / 3)
      const c = scale(a.slice(), 1 / 7)
      const left = merge(merge(a.slice(), b), c)
      const right = merge(a.slice(), merge(b.slice(), c))
      expect(relativeError(left, right)).toBeLessThanOrEqual(1e-12)
      const together = scale(merge(a.slice(), b), 0.3)
      const apart = merge(scale(a.slice(), 0.3), scale(b.slice(), 0.3))
      expect(relativeError(together, apart)).toBeLessThanOrEqual(1e-12)
    })

    law('an event of weight 2 is two events', input => {
      const { family, block, responsibilities, parameters } = build(subject, input)
      const once = observed(family, block, responsibilities, parameters)
      const twice = observed(
        family,
        block,
        responsibilities.map(r => 2 * r),
        parameters,
      )
      expect(relativeError(merge(once.slice(), once), twice)).toBeLessThanOrEqual(1e-12)
    })

    law('densities are finite, and those of an event with nothing observed are 1', input => {
      const { family, block, parameters } = build(subject, input)
      const logs = new Float64Array(input.rows * input.components)
      family.logDensity(parameters, block, logs)
      expect(logs.every(Number.isFinite)).toBe(true)
      for (let n = 0; n < input.rows; n++) {
        if (!part(block, n, n + 1).values.every(Number.isNaN)) continue
        for (let k = 0; k < input.components; k++) expect(logs[n * input.components + k]).toBe(0)
      }
    })

    law('a density does not depend on the other events of its block', input => {
      const { family, block, parameters } = build(subject, input)
      const together = new Float64Array(input.rows * input.components)
      family.logDensity(parameters, block, together)
      const alone = new Float64Array(input.components)
      for (let n = 0; n < input.rows; n++) {
        family.logDensity(parameters, part(block, n, n + 1), alone)
        const expected = together.slice(n * input.components, (n + 1) * input.components)
        expect(relativeError(alone, expected)).toBeLessThanOrEqual(1e-12)
      }
    })

    law('parameters are finite whatever the statistics, and kept where there are none', input => {
      const { family, block, responsibilities, parameters, initial } = build(subject, input)
      expect(allFinite(initial)).toBe(true)
      expect(allFinite(parameters)).toBe(true)
      expect(family.maximise(empty(family), DEFAULT_PRIOR, parameters)).toEqual(parameters)
      const prior: Prior = {
        weightPseudoEvents: 1,
        meanPseudoEvents: 0.5,
        covariancePseudoEvents: 2,
        varianceFloor: 0,
      }
      const statistics = observed(family, block, responsibilities, parameters)
      expect(allFinite(family.maximise(statistics, prior, parameters))).toBe(true)
    })

    law('the M-step of some components has their rows of the whole one, bit for bit', input => {
      const { family, block, responsibilities, parameters, uniform } = build(subject, input)
      const { components: K } = input
      const statistics = observed(family, block, responsibilities, parameters)
      const { from, to } = someComponents(uniform, K)
      const whole = family.maximise(statistics, DEFAULT_PRIOR, parameters)
      const some = family.maximise(statistics, DEFAULT_PRIOR, parameters, { from, to })
      for (const [name, { length }] of Object.entries(whole)) {
        if (length % K !== 0) continue
        const rows = (array: Float64Array) => array.slice((from * length) / K, (to * length) / K)
        expect(rows(some[name]!), name).toEqual(rows(whole[name]!))
      }
    })

    law('an M-step in memory it is given has the same bits, and writes the rows of its components alone', input => {
      const { family, block, responsibilities, parameters, uniform } = build(subject, input)
      const { components: K } = input
      const statistics = observed(family, block, responsibilities, parameters)
      const { from, to } = someComponents(uniform, K)
      const before = structuredClone(parameters)
      const into = structuredClone(parameters)
      for (const array of Object.values(into)) array.fill(7)
      const expected = family.maximise(statistics, DEFAULT_PRIOR, parameters, { from, to })
      const estimated = family.maximise(statistics, DEFAULT_PRIOR, parameters, { from, to }, into)
      for (const [name, { length }] of Object.entries(expected)) {
        const rows = (array: Float64Array, from: number, to: number) =>
          length % K === 0 ? array.slice((from * length) / K, (to * length) / K) : array
        expect(rows(estimated[name]!, from, to), name).toEqual(rows(expected[name]!, from, to))
        if (length % K !== 0) continue
        for (const others of [rows(into[name]!, 0, from), rows(into[name]!, to, K)])
          expect(others.every(value => value === 7)).toBe(true)
      }
      expect(parameters).toEqual(before)
      const whole = family.maximise(statistics, DEFAULT_PRIOR, parameters)
      expect(family.maximise(statistics, DEFAULT_PRIOR, parameters, undefined, into)).toEqual(whole)
    })

    law('permuted components give permuted results', input => {
      const { family, block, responsibilities, initial } = build(subject, input)
      const { components: K, rows } = input
      const rotated = responsibilities.map((_, i) => {
        const n = Math.floor(i / K)
        return responsibilities[n * K + (((i % K) + 1) % K)]!
      })
      const logs = new Float64Array(rows * K)
      const rotatedLogs = new Float64Array(rows * K)
      const a = family.maximise(observed(family, block, responsibilities, initial), DEFAULT_PRIOR, initial)
      const b = family.maximise(observed(family, block, rotated, initial), DEFAULT_PRIOR, initial)
      family.logDensity(a, block, logs)
      family.logDensity(b, block, rotatedLogs)
      const expected = logs.map((_, i) => logs[Math.floor(i / K) * K + (((i % K) + 1) % K)]!)
      expect(relativeError(rotatedLogs, expected)).toBeLessThanOrEqual(1e-7)
    })

    law('EM never lowers the likelihood; responsibilities and weights sum to 1', input => {
      // A floor that binds takes the estimate away from the maximum: leave it out where the data are not degenerate.
      const model = build(subject, { ...input, flavour: 'plain', rows: input.rows + 20 })
      const whole = mixture(model.family)
      let parameters: Parameters = {
        ...model.parameters,
        weights: new Float64Array(input.components).fill(1 / input.components),
      }
      let last = -Infinity
      for (let iteration = 0; iteration < 4; iteration++) {
        const statistics = empty(whole)
        const { logLikelihood, weight } = whole.expectation(parameters, model.block, undefined, statistics)
        expect(weight).toBe(model.block.rows)
        const s0 = statistics.slice(0, input.components).reduce((a, b) => a + b, 0)
        expect(Math.abs(s0 / weight - 1)).toBeLessThanOrEqual(1e-12)
        const tolerance = (subject.monotoneTolerance ?? 1e-9) * (1 + Math.abs(logLikelihood))
        if (!touchesFloor(parameters)) expect(logLikelihood).toBeGreaterThanOrEqual(last - tolerance)
        last = logLikelihood
        parameters = whole.maximise(statistics, { ...DEFAULT_PRIOR, varianceFloor: 1e-9 }, parameters)
        const sum = parameters.weights!.reduce((a, b) => a + b, 0)
        expect(Math.abs(sum - 1)).toBeLessThanOrEqual(1e-12)
      }
    })
  })
}

/** Whether a precision is so large that the variance floor must have been reached. */
function touchesFloor(parameters: Parameters): boolean {
  return Object.entries(parameters).some(
    ([name, array]) => name.endsWith('precisionsCholesky') && array.some(value => Math.abs(value) > 1e3),
  )
}
