import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { explainer } from '../decide/explain.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { gaussianFromMoments } from '../families/gaussian/from-moments.ts'
import { fitModel } from '../fit-model.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { bendOf } from '../treatment/bend.ts'
import type { Treatment } from '../treatment/treatment.ts'
import { createMixture, freeParameters } from './create-mixture.ts'
import { scoreModel } from './model.ts'
import { modelColumns } from './model-columns.ts'
import { modelFromJson, modelToJson } from './model-json.ts'
import { createSpecification, type FeatureSpecification, type ModelSpecification } from './specification.ts'
import { treated } from './treated.ts'

const column = (values: readonly number[]): Block => ({
  rows: values.length,
  columns: 1,
  values: Float64Array.from(values),
})
const auto = (feature: Partial<FeatureSpecification> = {}, components = 1): ModelSpecification =>
  createSpecification({ components, features: [{ name: 'x', transform: 'auto', ...feature }] })
const treatmentOfValues = (values: readonly number[], feature: Partial<FeatureSpecification> = {}): Treatment =>
  treated(auto(feature), column(values)).features[0]!.treatment!
const draw = (n: number, value: (normal: number, uniform: number) => number, seed = 3): number[] => {
  const uniform = random(seed)
  return Array.from({ length: n }, () => value(standardNormal(uniform), uniform()))
}
const poisson = (rate: number, uniform: number): number => {
  let x = 0
  for (let p = Math.exp(-rate), sum = p; sum < uniform; sum += p *= rate / ++x);
  return x
}

describe('what is decided for auto', () => {
  test('a normal sample stays as it is', () => {
    expect(treatmentOfValues(draw(3000, z => 5 + 2 * z))).toEqual({ transform: 'none' })
  })

  test('amounts of many sizes are logged, with 0 as an answer of its own', () => {
    const treatment = treatmentOfValues(draw(3000, (z, u) => (u < 0.4 ? 0 : Math.exp(3 + z))))
    expect(treatment).toMatchObject({ transform: 'log', atom: 0, offset: 0 })
  })

  test('counts take their square root and cells of width 1', () => {
    expect(treatmentOfValues(draw(3000, (_, u) => poisson(4, u)))).toMatchObject({
      transform: 'sqrt',
      resolution: 1,
      offset: 0.5,
    })
  })

  test('rounded values have the width they were rounded to', () => {
    const rounded = (width: number) => treatmentOfValues(draw(3000, z => Math.round((70 + 3 * z) / width) * width))
    expect(rounded(0.5)).toEqual({ transform: 'none', resolution: 0.5 })
    expect(rounded(0.1)).toEqual({ transform: 'none', resolution: 0.1 })
    expect(rounded(2.5)).toEqual({ transform: 'none', resolution: 2.5 })
  })

  test('a tariff of a few odd values: the distance between them', () => {
    const values = [Math.log(1), Math.log(26), Math.log(51), Math.log(96)]
    const { resolution } = treatmentOfValues(draw(3000, (_, u) => values[Math.floor(4 * u ** 0.8)]!))
    expect(resolution).toBeGreaterThan(0.5)
    expect(resolution).toBeLessThan(0.7)
  })

  test('values between declared bounds may take their logit', () => {
    const values = draw(3000, z => 100 / (1 + Math.exp(-(3 * z))))
    expect(treatmentOfValues(values, { bounds: [0, 100] })).toMatchObject({ transform: 'logit', bounds: [0, 100] })
    expect(treatmentOfValues(values).transform).not.toBe('logit')
  })

  test('a resolution and an atom that are declared win', () => {
    const values = draw(3000, (z, u) => (u < 0.01 ? 7 : Math.round(70 + 3 * z)))
    expect(treatmentOfValues(values, { resolution: 2, atom: 7 })).toEqual({ transform: 'none', resolution: 2, atom: 7 })
  })

  test('a declared transform is left alone, decided or not', () => {
    const values = column(draw(500, (_, u) => poisson(2, u)))
    for (const transform of ['none', 'log1p', 'yeo-johnson'] as const)
      expect(treated(auto({ transform }), values)).toEqual(auto({ transform }))
    const once = treated(auto(), values)
    expect(treated(once, column([1.5, 2.7, 3.1]))).toBe(once)
  })

  test('the choice does not depend on the unit', () => {
    const values = draw(2000, (z, u) => (u < 0.3 ? 0 : Math.round(100 * Math.exp(1 + z))))
    for (const power of [-6, -2, 3, 6]) {
      const unit = power < 0 ? 1 / 10 ** -power : 10 ** power
      const scaled = treatmentOfValues(values.map(x => (power < 0 ? x / 10 ** -power : x * unit)))
      const { transform, atom, resolution } = treatmentOfValues(values)
      expect(scaled).toMatchObject({ transform, atom })
      expect(scaled.resolution! / unit).toBeCloseTo(resolution!, 9)
    }
  })

  test('weights count as repetitions', () => {
    const values = draw(400, (_, u) => poisson(3, u))
    const repeated = values.flatMap(x => [x, x, x])
    const weighted = treated(auto(), column(values), new Float64Array(400).fill(3))
    expect(weighted.features[0]!.treatment!.transform).toBe(treatmentOfValues(repeated).transform)
  })

  test.each([
    ['one value', [5, 5, 5, 5]],
    ['nothing', [Number.NaN, Number.NaN]],
    ['one event', [3]],
    ['two values', [0, 1, 0, 0, 1]],
    ['an atom and one other event', [...Array<number>(40).fill(0), 3.7, 4.9]],
    ['values far apart', [1e-300, 1, 1e300, -1e300]],
    ['the smallest numbers', draw(50, z => Math.abs(z) * 1e-300)],
    ['missing values', draw(50, (z, u) => (u < 0.5 ? Number.NaN : Math.round(z)))],
  ])('%s: a model that is sound', (_, values) => {
    const block = column(values)
    for (const components of [1, 2]) {
      const options = { estimator: batchEm({ prior: auto().prior }), random: random(1) }
      const model = fitModel(auto({}, components), block, undefined, options)
      const { posterior, logDensity } = scoreModel(model, block)
      expect([...posterior, ...logDensity].every(Number.isFinite)).toBe(true)
      expect(Object.values(model.parameters).every(array => array.every(Number.isFinite))).toBe(true)
      expect(modelFromJson(JSON.parse(JSON.stringify(modelToJson(model))))).toEqual(model)
    }
  })
})

describe('a bend outside the values it was chosen on', () => {
  test.each(['log', 'sqrt', 'logit'] as const)('%s goes on as its tangents, and back', transform => {
    const bend = bendOf({ transform, bounds: [0, 100], support: [2, 90] }, 1)
    for (const x of [-1e6, -3, 0, 1.999, 2, 2.001, 50, 90, 90.001, 101, 1e6]) {
      expect((bend.unbend(bend.bend(x)) - x) / (1 + Math.abs(x))).toBeCloseTo(0, 9)
      const slope = (bend.bend(x + 1e-4) - bend.bend(x - 1e-4)) / 2e-4
      expect(Math.exp(bend.logDerivative(x)) / slope).toBeCloseTo(1, 3)
    }
    const { bend: f } = bend
    expect(f(-10) - f(-20)).toBeCloseTo(10 * (f(1) - f(0)), 9)
    expect(f(200) - f(190)).toBeCloseTo(10 * (f(101) - f(100)), 9)
  })
})

describe('a treated model', () => {
  const fixture = JSON.parse(
    gunzipSync(readFileSync(new URL('../../../../test/reference/fixtures/cells.json.gz', import.meta.url))).toString(),
  ).treated
  const specification: ModelSpecification = createSpecification({
    components: 2,
    features: [
      { name: 'spend', transform: 'auto', treatment: { transform: 'log', atom: 0, support: [0.001, 1e4] } },
      {
        name: 'visits',
        transform: 'auto',
        treatment: { transform: 'sqrt', resolution: 1, offset: 0.5, support: [0, 1e4] },
      },
    ],
  })
  const rows = (events: readonly (readonly (number | null)[])[]): Block => ({
    rows: events.length,
    columns: 2,
    values: Float64Array.from(events.flatMap(event => event.map(x => x ?? Number.NaN))),
  })
  const parameters = (): Parameters => {
    const initial = createMixture(specification).initial({ rows: 1, columns: 4, values: new Float64Array(4) })
    const numbers = Object.fromEntries(
      Object.entries(initial).flatMap(([name, array]) => (name.startsWith('number.') ? [[name.slice(7), array]] : [])),
    ) as Parameters
    const triangles = fixture.covariances.flatMap((c: number[][]) => [c[0]![0]!, c[1]![0]!, c[1]![1]!])
    const gaussian = gaussianFromMoments(
      { components: 2, columns: 2, covariance: 'full' },
      Float64Array.from(fixture.means.flat()),
      Float64Array.from(triangles),
      numbers,
    )
    return {
      weights: Float64Array.from(fixture.weights),
      ...Object.fromEntries(Object.entries(gaussian).map(([name, array]) => [`number.${name}`, array])),
      'spike.probabilities': Float64Array.from(fixture.probabilities),
      transformCentre: Float64Array.from(fixture.centre),
      transformScale: Float64Array.from(fixture.scale),
      transformPower: Float64Array.of(1, 1),
    }
  }
  const model = { specification, parameters: parameters() }

  test("log densities in the user's units, by their definition (scipy)", () => {
    const { logDensity } = scoreModel(model, rows(fixture.events))
    for (const [n, value] of logDensity.entries()) expect(value).toBeCloseTo(fixture.logDensity[n], 11)
  })

  test('probabilities of the counts and of the atom add up to 1', () => {
    const { logDensity } = scoreModel(model, rows(Array.from({ length: 400 }, (_, x) => [0, x])))
    const atAtom = scoreModel(model, rows([[0, null]])).logDensity[0]!
    const sum = logDensity.reduce((total, log) => total + Math.exp(log), 0)
    // The mean of log densities over a cell is at most the logarithm of their mean: what is missing is the bound's.
    expect(sum / Math.exp(atAtom)).toBeGreaterThan(0.9)
    expect(sum / Math.exp(atAtom)).toBeLessThan(1.01)
  })

  test('explanations add up to the posterior odds, feature by feature', () => {
    const { values, columns } = rows(fixture.events)
    const explain = explainer(model, random(1))
    for (let at = 0; at < values.length; at += columns) {
      const { posterior, component, runnerUp, prior, contributions } = explain(values.slice(at, at + columns))
      expect(contributions).toHaveLength(2)
      const odds = Math.log(posterior[component]! / posterior[runnerUp!]!)
      expect(prior + contributions[0]! + contributions[1]!).toBeCloseTo(odds, 10)
    }
  })

  test('its JSON says what the atom is and how likely, in the user’s units, and is read back', () => {
    const json = modelToJson({ ...model, lowerBound: -1, converged: true, iterations: 1 })
    expect(json.atoms_).toEqual({ spend: { value: 0, probabilities: [0.7, 0.1] } })
    const centres = json.centres_ as number[][]
    expect(centres[0]![0]).toBe(0)
    expect(centres[1]![0]).toBeCloseTo(Math.exp(3 + 1.2 * 0.8), 12)
    expect(centres[1]![1]).toBeCloseTo((2 + 0.8 * 0.6) ** 2 - 0.5, 12)
    expect(modelFromJson(JSON.parse(JSON.stringify(json)))).toMatchObject({
      specification,
      parameters: model.parameters,
    })
  })

  test('spikes are counted as parameters, columns are told by feature', () => {
    expect(freeParameters(specification)).toBe(1 + 4 + 6 + 2)
    expect(modelColumns(specification)).toEqual({ count: 4, spikes: [0], cells: [1] })
  })

  test('without a decision there is no model', () => {
    expect(() => createMixture(auto())).toThrow(
      'features.x.treatment: expected one, as its transform is auto, got none',
    )
  })
})

describe('a likelihood that has an upper bound', () => {
  const uniform = random(11)
  // One kind of customer, seen through a till: many never buy, visits are whole numbers, the basket is rounded.
  const rows = 2000
  const values = new Float64Array(rows * 3)
  for (let n = 0; n < rows; n++)
    values.set(
      [
        uniform() < 0.6 ? 0 : Math.round(100 * Math.exp(3 + standardNormal(uniform))) / 100,
        poisson(2, uniform()),
        Math.round(20 * (50 + 8 * standardNormal(uniform))) / 20,
      ],
      n * 3,
    )
  const block: Block = { rows, columns: 3, values }
  const fit = (transform: 'auto' | 'none', components: number) => {
    const features = ['spend', 'visits', 'basket'].map(name => ({ name, transform }))
    const specification = createSpecification({ components, features })
    return fitModel(specification, block, undefined, {
      estimator: batchEm({ prior: specification.prior, tolerance: 1e-5, maxIterations: 300 }),
      random: random(1),
    })
  }

  test('more components than there are kinds gain next to nothing; raw, they gain nats without end', () => {
    expect(fit('none', 6).lowerBound - fit('none', 1).lowerBound).toBeGreaterThan(3)
    expect(fit('auto', 6).lowerBound - fit('auto', 1).lowerBound).toBeLessThan(0.05)
  })
})
