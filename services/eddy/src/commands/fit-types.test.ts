import { random, standardNormal } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'

const next = random(8)
/** Two groups that differ in a count, a category, a boolean and a skewed number; one cell in ten is missing. */
const rows = Array.from({ length: 1_000 }, (_, i) => {
  const first = i % 2 === 0
  const cells = [
    Math.floor((first ? 3 : 12) * (0.5 + next())),
    first ? ['de', 'fr'][Math.floor(next() * 2)]! : 'us',
    next() < (first ? 0.9 : 0.1),
    Math.exp((first ? 2 : 4) + 0.4 * standardNormal(next)),
  ]
  return cells.map(cell => (next() < 0.1 ? '' : String(cell))).join(',')
})
const csv = fileOf('types.csv', 'visits,country,member,spend\n' + rows.join('\n'))
const types = ['--types', 'visits=count,country=category,member=boolean,spend=number', '--transform', 'spend=log1p']

describe('eddy fit --types', () => {
  it.each(['batch', 'stepwise', 'hard', 'kmeans'])('learns mixed types with missing values by %s', async algorithm => {
    const model = fileOf('types.json', '')
    const argv = ['--input', csv, ...types, '--components', '2', '--algorithm', algorithm, '--out', model, '--json']
    const { stdout, code, stderr } = await runCommand(fitCommand, argv)
    expect(code, stderr).toBe(0)
    const json = JSON.parse(stdout)
    expect(json.categories).toEqual({ country: ['de', 'fr', 'us'] })
    const first = json.rates_[0][0] < json.rates_[1][0] ? 0 : 1
    expect(Math.abs(json.rates_[first][0] - 2.5)).toBeLessThan(0.6)
    // k-means sees the counts most, so its groups are a little mixed.
    expect(Math.abs(json.probabilities_[first][0] - 0.9)).toBeLessThan(algorithm === 'kmeans' ? 0.15 : 0.06)
    expect(json.category_probabilities_.country[1 - first][2]).toBeGreaterThan(algorithm === 'kmeans' ? 0.85 : 0.95)
    expect(Math.abs(json.means_[first][0] - Math.log1p(Math.exp(2)))).toBeLessThan(algorithm === 'kmeans' ? 0.4 : 0.2)

    const scored = await runCommand(scoreCommand, ['--model', model, '--input', csv])
    const segments = scored.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).segment)
    const right = segments.filter((segment, i) => (segment === `s${first + 1}`) === (i % 2 === 0)).length
    expect(right).toBeGreaterThan(algorithm === 'kmeans' ? 850 : 970)
  })

  it('learns durations: two mean waiting times, and refuses a negative one', async () => {
    const draw = random(9)
    const waits = Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? 0.5 : 60) * -Math.log(1 - draw()))
    const input = fileOf('waits.csv', 'wait\n' + waits.join('\n'))
    const argv = ['--input', input, '--types', 'wait=duration', '--components', '2']
    const { stdout } = await runCommand(fitCommand, [
      ...argv,
      '--tolerance',
      '1e-8',
      '--max-iterations',
      '500',
      '--json',
    ])
    const json = JSON.parse(stdout)
    expect(json.duration_names_).toEqual(['wait'])
    const [short, long] = json.durations_.map((row: number[]) => row[0]).toSorted((a: number, b: number) => a - b)
    expect(Math.abs(short - 0.5)).toBeLessThan(0.1)
    expect(Math.abs(long - 60)).toBeLessThan(6)
    const wrong = fileOf('negative.csv', 'wait\n1\n-2\n')
    const refused = await runCommand(fitCommand, ['--input', wrong, '--types', 'wait=duration', '--components', '1'])
    expect(refused.stderr).toContain('wait: expected a duration (a number of at least 0), got "-2"')
  })

  it('shows what is typical of a segment', async () => {
    const { stdout } = await runCommand(fitCommand, ['--input', csv, ...types, '--components', '2'])
    expect(stdout).toMatch(/segment\s+share\s+visits\s+country\s+member\s+spend, mean\s+median\n/)
    expect(stdout).toMatch(/us (9\d|100)%/)
  })

  it('refuses a category the model has not seen, and a count that is none', async () => {
    const model = fileOf('seen.json', '')
    await runCommand(fitCommand, ['--input', csv, ...types, '--components', '2', '--out', model])
    const score = (line: string) =>
      runCommand(scoreCommand, [
        '--model',
        model,
        '--input',
        fileOf('new.csv', `visits,country,member,spend\n${line}\n`),
      ])
    expect((await score('1,it,true,5')).stderr).toMatch(
      /new\.csv:2: country: expected one of "de", "fr", "us", got "it"/,
    )
    expect((await score('1.5,us,true,5')).stderr).toMatch(/visits: expected a count \(0, 1, 2 …\), got "1\.5"/)
    expect((await score('1,us,maybe,5')).stderr).toMatch(/member: expected true or false, got "maybe"/)
    expect(await score('1,,,')).toMatchObject({ code: 0 })
  })

  it.each(['student-t', 'auto'])('is robust to outliers with %s', async family => {
    const clean = Array.from({ length: 490 }, (_, i) => (i % 2 ? 10 : 0) + standardNormal(next))
    const path = fileOf(
      'outliers.csv',
      'a\n' + [...clean, ...Array.from({ length: 10 }, () => 400 * next() - 200)].join('\n'),
    )
    const means = async (family: string) => {
      const argv = ['--input', path, '--components', '2', '--family', family, '--json', '--max-iterations', '300']
      const { stdout } = await runCommand(fitCommand, argv)
      return (JSON.parse(stdout).means_ as number[][]).map(([m]) => m!).sort((a, b) => a - b)
    }
    const robust = await means(family)
    expect(Math.abs(robust[0]!)).toBeLessThan(0.5)
    expect(Math.abs(robust[1]! - 10)).toBeLessThan(0.5)
    const fooled = await means('gaussian')
    expect(Math.abs(fooled[0]!) + Math.abs(fooled[1]! - 10)).toBeGreaterThan(4)
  })

  it.each(['kmeans++', 'random', 'split'])('starts by %s', async init => {
    const { code, stdout } = await runCommand(fitCommand, [
      '--input',
      csv,
      ...types,
      '--components',
      '2',
      '--init',
      init,
      '--json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).specification.warmUp.initialisation).toBe(init)
  })

  it('takes a prior', async () => {
    const argv = ['--input', csv, ...types, '--components', '2', '--prior', 'weight=10000', '--json']
    const weights = JSON.parse((await runCommand(fitCommand, argv)).stdout).weights_
    expect(weights[0]).toBeCloseTo(0.5, 2)
    expect(await runCommand(fitCommand, [...argv, '--prior', 'scale=1'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/one of weight, mean, covariance, got "scale=1"/),
    })
    expect(await runCommand(fitCommand, [...argv, '--transform', 'visits=log1p'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/--transform: expected features of type number \(spend\), got visits/),
    })
  })
})
