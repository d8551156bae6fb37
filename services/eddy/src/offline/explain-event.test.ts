import { createSpecification, type Model, random } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { explainCommand } from '../commands/explain.ts'
import { fitCommand } from '../commands/fit.ts'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { explainer } from './explain-event.ts'
import { train } from './train.ts'

/** Two diagonal components at ∓1 in d dimensions with unit variance. */
function diagonal(d: number): Model {
  const specification = createSpecification({
    features: Array.from({ length: d }, (_, j) => `f${j}`),
    components: 2,
    covariance: 'diag',
    standardise: false,
  })
  const means = Float64Array.from({ length: 2 * d }, (_, i) => (i < d ? -1 : 1))
  const ones = new Float64Array(2 * d).fill(1)
  const parameters = {
    weights: Float64Array.of(0.75, 0.25),
    means,
    covariances: ones,
    precisionsCholesky: ones,
    logDeterminants: new Float64Array(2),
    reference: new Float64Array(d),
    transformCentre: new Float64Array(d),
    transformScale: new Float64Array(d).fill(1),
    transformPower: new Float64Array(d).fill(1),
  }
  return { specification, parameters, lowerBound: 0, converged: true, iterations: 1 }
}

describe('an explanation', () => {
  it.each([3, 12])('has the closed form for independent features: 2 x_j a feature (%d of them)', d => {
    const values = Float64Array.from({ length: d }, (_, j) => 0.2 * j)
    const { segment, runnerUp, prior, contributions, logOdds } = explainer(diagonal(d), random(1))(values)
    expect([segment, runnerUp]).toEqual(d === 3 ? ['s2', 's1'] : ['s2', 's1'])
    expect(prior).toBeCloseTo(Math.log(0.25 / 0.75), 12)
    // log N(x; 1, 1) − log N(x; −1, 1) = 2 x
    for (const [j, x] of values.entries()) expect(contributions[`f${j}`]).toBeCloseTo(2 * x, 10)
    expect(logOdds).toBeCloseTo(prior + 2 * values.reduce((a, b) => a + b), 10)
  })

  it('adds up for correlated features, exact and sampled, and gives a missing one nothing', () => {
    const next = random(2)
    for (const d of [4, 11]) {
      const rows = 400
      const values = Float64Array.from(
        { length: rows * d },
        (_, i) => (i % (2 * d) < d ? 2 : 0) + next() + (i % d) * next(),
      )
      const columns = Array.from({ length: d }, (_, j) => ({ name: `f${j}`, type: 'number' as const }))
      const model = train(
        { columns, rows, values, weights: new Float64Array(rows).fill(1) },
        {
          components: 3,
          covariance: 'full',
          algorithm: 'batch',
          passes: 1,
          batchSize: 512,
          stepExponent: 0.8,
          tolerance: 1e-3,
          maxIterations: 20,
          seed: 1,
          standardise: true,
        },
      )
      const event = values.slice(0, d)
      event[2] = Number.NaN
      const { posterior, entropy, prior, contributions, logOdds } = explainer(model, next)(event)
      expect(contributions.f2).toBe(0)
      expect(prior + Object.values(contributions).reduce((a, b) => a + b)).toBeCloseTo(logOdds!, 8)
      const sorted = posterior.toSorted((a, b) => b - a)
      if (sorted[1]! > 1e-200) expect(logOdds).toBeCloseTo(Math.log(sorted[0]! / sorted[1]!), 6)
      expect(entropy).toBeGreaterThanOrEqual(0)
      expect(entropy).toBeLessThanOrEqual(Math.log(3))
    }
  })
})

describe('eddy explain', () => {
  it('prints one line a row, in the order of the rows', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `c${i},${(i % 2) * 9 + (i % 7) / 5},${i % 2 ? 'web' : 'shop'}`)
    const csv = fileOf('explain.csv', 'customer,spend,channel\n' + rows.join('\n') + '\nempty,,\n')
    const model = fileOf('explain.json', '')
    await runCommand(fitCommand, [
      '--input',
      csv,
      '--types',
      'spend=number,channel=category',
      '--components',
      '2',
      '--out',
      model,
    ])
    const { stdout, stderr, code } = await runCommand(explainCommand, [
      '--model',
      model,
      '--input',
      csv,
      '--keep',
      'customer',
    ])
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toHaveLength(61)
    expect(lines[0]).toMatchObject({ customer: 'c0', segment: expect.stringMatching(/^s[12]$/) })
    expect(lines[0].contributions.channel).toBeGreaterThan(1)
    expect(lines[0].contributions.spend).toBeGreaterThan(1)
    expect(lines[60].contributions).toEqual({ spend: 0, channel: 0 })
    expect(lines[60].logOdds).toBeCloseTo(lines[60].prior, 12)
  })

  it('has no runner-up in a model of one segment', async () => {
    const csv = fileOf('one.csv', 'a\n1\n2\n4\n')
    const model = fileOf('one.json', '')
    await runCommand(fitCommand, ['--input', csv, '--components', '1', '--out', model])
    const { stdout } = await runCommand(explainCommand, ['--model', model, '--input', csv])
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({
      posterior: [1],
      entropy: 0,
      runnerUp: null,
      logOdds: null,
    })
  })
})
