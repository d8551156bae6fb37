import { readFileSync } from 'node:fs'
import { random, standardNormal } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { evaluateCommand } from './evaluate.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'

const next = random(11)
/** Three round groups of customers around (0, 0), (50, 800) and (100, 0). */
const customers = Array.from({ length: 600 }, (_, i) => {
  const k = i % 3
  return [i, 50 * k + 5 * standardNormal(next), (k === 1 ? 800 : 0) + 20 * standardNormal(next)]
})
const csv = fileOf('customers.csv', 'customer,visits,spend\n' + customers.map(row => row.join(',')).join('\n'))

const fit = async (...argv: string[]) => {
  const result = await runCommand(fitCommand, ['--json', ...argv])
  return { ...result, json: result.code === 0 ? JSON.parse(result.stdout) : undefined }
}
const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [value as number])

describe('eddy fit', () => {
  it.each(['batch', 'stepwise', 'hard', 'kmeans'])("finds the groups by %s, in the user's units", async algorithm => {
    const { json, stderr, code } = await fit('--input', csv, '--components', '3', '--algorithm', algorithm)
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const means = (json.means_ as number[][]).toSorted((a, b) => a[0]! - b[0]!)
    for (const [k, [visits, spend]] of means.entries()) {
      expect(Math.abs(visits! - 50 * k)).toBeLessThan(2)
      expect(Math.abs(spend! - (k === 1 ? 800 : 0))).toBeLessThan(8)
    }
    expect(json.weights_.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 12)
    expect(json).toMatchObject({ converged_: true, n_components: 3, feature_names_in_: ['visits', 'spend'] })
    expect(json.lower_bound_).toBeLessThan(0)
  })

  it.each(['full', 'tied', 'diag', 'spherical', 'factor'])("has scikit-learn's shapes for %s", async covariance => {
    const { json } = await fit('--input', csv, '--components', '3', '--covariance', covariance, '--no-transform')
    const lengths = { full: 12, tied: 4, diag: 6, spherical: 3, factor: 12 }
    expect(flat(json.covariances_)).toHaveLength(lengths[covariance as 'full'])
    expect(flat(json.precisions_cholesky_)).toHaveLength(lengths[covariance as 'full'])
    expect(flat(json.means_)).toHaveLength(6)
  })

  it('is the same to the byte for the same seed, in every format', async () => {
    const ndjson = customers.map(([customer, visits, spend]) =>
      JSON.stringify({ customer, features: { visits, spend } }),
    )
    const argv = ['--features', 'visits,spend', '--components', '3', '--seed', '5', '--json']
    const [a, b] = await Promise.all([
      runCommand(fitCommand, ['--input', csv, ...argv]),
      runCommand(fitCommand, ['--input', '-', ...argv], ndjson.join('\n')),
    ])
    expect(a.code).toBe(0)
    expect(b.stdout).toBe(a.stdout)
  })

  it('is the same on either kernel to 1e-12, but for the last bits', async () => {
    const argv = ['--input', csv, '--components', '3', '--tolerance', '0', '--max-iterations', '20']
    const { json: auto } = await fit(...argv)
    const { json: compiled } = await fit(...argv, '--kernel', 'webassembly')
    const { json: reference } = await fit(...argv, '--kernel', 'typescript')
    expect(compiled).toEqual(auto)
    expect(reference).not.toEqual(auto)
    for (const name of ['weights_', 'means_', 'covariances_', 'precisions_cholesky_'] as const) {
      const expected = flat(reference[name])
      const size = Math.max(...expected.map(Math.abs))
      for (const [i, value] of flat(compiled[name]).entries())
        expect(Math.abs(value - expected[i]!), name).toBeLessThanOrEqual(1e-12 * size)
    }
    const { code, stderr } = await fit(...argv, '--kernel', 'fast')
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('webassembly') })
  })

  it('starts from given values', async () => {
    const init = fileOf(
      'init.json',
      JSON.stringify({
        weights_: [0.2, 0.3, 0.5],
        means_: [
          [0, 0],
          [50, 800],
          [100, 0],
        ],
        covariances_: Array(3).fill([
          [25, 0],
          [0, 400],
        ]),
      }),
    )
    const argv = ['--input', csv, '--components', '3', '--init', init, '--max-iterations', '1', '--tolerance', '0']
    const { json, stderr } = await fit(...argv)
    expect(stderr).toMatch(/not converged after 1 iteration:/)
    expect(json.means_[1][1]).toBeGreaterThan(790)
    const wrong = fileOf('wrong.json', '{"means_": [[1]]}')
    const refused = await fit('--input', csv, '--components', '3', '--init', wrong)
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^eddy: means_: expected an array of 3, got 1/),
    })
  })

  it('writes a model that scores and evaluates', async () => {
    const model = fileOf('model.json', '')
    const fitted = await runCommand(fitCommand, ['--input', csv, '--components', '3', '--out', model])
    expect(fitted.stdout).toMatch(/segment\s+share\s+customers\s+visits\s+spend\n/)
    expect(JSON.parse(readFileSync(model, 'utf8')).format).toBe('eddy-model')

    const scored = await runCommand(scoreCommand, ['--model', model, '--input', csv])
    const lines = scored.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toHaveLength(600)
    expect(Object.keys(lines[0])).toEqual(['segment', 'posterior', 'logDensity'])
    expect(lines[0].posterior.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 12)
    // Every third customer is of the same group.
    for (const [i, { segment }] of lines.entries()) expect(segment).toBe(lines[i % 3].segment)

    const evaluated = await runCommand(evaluateCommand, ['--model', model, '--input', csv, '--json'])
    const figures = JSON.parse(evaluated.stdout)
    const mean = lines.reduce((sum, line) => sum + line.logDensity, 0) / 600
    expect(figures.meanLogLikelihood).toBeCloseTo(mean, 10)
    expect(figures).toMatchObject({ events: 600, parameters: 17 })
    expect(figures.aic).toBeCloseTo(2 * 17 - 2 * 600 * mean, 6)
    expect(figures.bic).toBeCloseTo(17 * Math.log(600) - 2 * 600 * mean, 6)

    const kept = await runCommand(scoreCommand, ['--model', model, '--input', csv, '--keep', 'customer'])
    expect(JSON.parse(kept.stdout.split('\n')[7]!).customer).toBe('7')
    const missing = await runCommand(scoreCommand, ['--model', model, '--input', '-'], 'visits,sped\n1,2\n')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/stdin: expected the feature "spend", got records with visits, sped/)
  })
})

const rows = (...lines: string[]) => 'a,b\n' + lines.join('\n')

describe('hard data gives a sound model or a clear error', () => {
  const finite = (json: object) => {
    const text = JSON.stringify(json, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value,
    )
    expect(text).not.toMatch(/BAD|NaN/)
    expect(text.replace('"lower_bound_":null', '')).not.toContain('null')
  }
  const cases = [
    ['one row', rows('1,2'), '1'],
    ['the same row twice', rows('1,2', '1,2'), '1'],
    ['as many components as rows', rows('1,2', '3,4'), '2'],
    ['one point a hundred times', rows(...Array(100).fill('1,2')), '1'],
    ['a constant column', rows(...Array.from({ length: 50 }, (_, i) => `${(7 * i) % 50},7`)), '2'],
    ['a column of zeros', rows(...Array.from({ length: 50 }, (_, i) => `${(7 * i) % 50},0`)), '2'],
    ['collinear columns', rows(...Array.from({ length: 50 }, (_, i) => `${i},${2 * i}`)), '2'],
    ['a far outlier', rows(...Array.from({ length: 50 }, (_, i) => `${i},${i % 7}`), '1e90,-1e90'), '2'],
    ['tiny numbers', rows(...Array.from({ length: 50 }, (_, i) => `${i}e-300,${i % 7}e-300`)), '2'],
    ['the largest numbers', rows('1e100,-1e100', '-1e100,1e100', '1e100,1e100'), '2'],
    ['missing values', rows(...Array.from({ length: 60 }, (_, i) => `${i % 3 ? i : ''},${i % 4 ? i % 9 : ''}`)), '2'],
    ['an empty column', rows('1,', '2,', '5,'), '2'],
    ['only missing values', rows(',', ','), '1'],
  ] as const
  for (const [name, content, components] of cases) {
    it.each(['batch', 'stepwise', 'hard', 'kmeans'])(`${name}, %s`, async algorithm => {
      for (const covariance of ['full', 'tied', 'diag', 'spherical']) {
        const argv = ['--input', fileOf('hard.csv', content), '--components', components, '--algorithm', algorithm]
        const { json, code, stderr } = await fit(...argv, '--covariance', covariance)
        expect(code, stderr).toBe(0)
        finite(json)
        const model = fileOf('hard.json', JSON.stringify(json))
        const scored = await runCommand(scoreCommand, ['--model', model, '--input', fileOf('hard.csv', content)])
        expect(scored.code, scored.stderr).toBe(0)
        expect(scored.stdout).not.toMatch(/NaN|null/)
      }
    })
  }
})

describe('what is no group of events is said', () => {
  it.each([
    ['one row, three components', rows('1,2'), '3', 1],
    ['more components than rows', rows('1,2', '3,4'), '5', 2],
    ['one point a hundred times', rows(...Array(100).fill('1,2')), '3', 1],
  ])('%s is an error', async (_, content, components, distinct) => {
    const input = fileOf('few.csv', content)
    const { code, stderr } = await fit('--input', input, '--components', components)
    expect(code).toBe(1)
    expect(stderr).toContain(
      `expected at least as many different events as segments (${components}), got ${distinct}. Lower --components.`,
    )
  })

  it('a segment on one value of a feature, which, and how much of the weight is held', async () => {
    const next = random(8)
    const spend = () => (next() < 0.5 ? 0 : Math.exp(3 + standardNormal(next)))
    const zeros = fileOf('zeros.csv', rows(...Array.from({ length: 400 }, () => `${spend()},${standardNormal(next)}`)))
    const raw = await fit('--input', zeros, '--components', '2', '--transform', 'none')
    expect(raw.stderr).toMatch(/s\d \((4|5)\d\.\d%\) has one value of a: its variance is held at the floor\./)
    expect(raw.stderr).toMatch(/of the weight is in segments at the variance floor/)
    const treated = await fit('--input', zeros, '--components', '2')
    expect(treated.stderr).not.toMatch(/floor/)
    expect(treated.stderr).toMatch(/decided by likelihood: a \(log, 0 apart\); --transform none leaves them be\./)
  })

  it("that the search for Yeo–Johnson's λ found no end", async () => {
    const tiny = fileOf(
      'tiny.csv',
      rows(...Array.from({ length: 60 }, (_, i) => `${(1 + ((7 * i) % 60) ** 2) / 1e12},1`)),
    )
    const argv = ['--input', tiny, '--features', 'a', '--components', '1', '--transform']
    expect((await fit(...argv, 'a=yeo-johnson')).stderr).toMatch(/a: the search for Yeo–Johnson's λ ended at its bound/)
    expect((await fit(...argv, 'auto')).stderr).not.toMatch(/bound/)
  })

  it('features that depend on one another, and fewer events than features', async () => {
    const line = fileOf('line.csv', rows(...Array.from({ length: 50 }, (_, i) => `${i + i / 97},${2 * (i + i / 97)}`)))
    const { stderr } = await fit('--input', line, '--components', '1')
    expect(stderr).toMatch(/s1 \(100\.0%\) has a, b depending on one another exactly/)
    const wide = await fit('--input', fileOf('wide.csv', 'a,b,c\n1,2,5\n3,4,4'), '--components', '1')
    expect(wide.stderr).toMatch(/2 events tell too little of 3 features/)
  })
})

describe('wrong use', () => {
  it.each([
    [['--input', csv], /required option '--components <k>' not specified/],
    [['--components', '3'], /expected --input FILE .* or --query SQL, got neither/],
    [['--input', csv, '--query', 'SELECT 1', '--components', '3'], /'--query <sql>' cannot be used with .*'--input/],
    [['--input', csv, '--components', '0'], /Expected a whole number from 1 to 1024, got "0"/],
    [['--input', csv, '--components', '3', '--covariance', 'round'], /Allowed choices are full, tied, diag/],
    [['--input', csv, '--components', '3', '--step-exponent', '0.5'], /Expected a number in \(0\.5, 1\], got "0\.5"/],
    [
      ['--input', csv, '--components', '3', '--featurs', 'a'],
      /unknown option '--featurs'[\s\S]*Did you mean --features/,
    ],
    [
      ['--input', csv, '--components', '3', '--transform', 'spend=square'],
      /one of auto, none, log1p, yeo-johnson, got "spend=square"/,
    ],
  ])('%s is exit code 2', async (argv, message) => {
    const { stdout, stderr, code } = await runCommand(fitCommand, argv)
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
    expect(stderr).toMatch(message)
  })

  it('names the columns that exist, exit code 1', async () => {
    const { stderr, code } = await fit('--input', csv, '--components', '3', '--features', 'visits,spent')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /customers\.csv: expected the feature "spent", got records with customer, visits, spend\. Correct/,
    )
  })

  it('names what is no model', async () => {
    const argv = (model: string) => ['--model', model, '--input', csv]
    expect(await runCommand(scoreCommand, argv('/nowhere/m.json'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no such file/),
    })
    const other = await runCommand(scoreCommand, argv(fileOf('other.json', '{}')))
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/other\.json: model: expected JSON with "format"/),
    })
    const broken = await runCommand(evaluateCommand, argv(fileOf('broken.json', '{')))
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/broken\.json: expected JSON, got/) })
  })
})

describe('the table of segments', () => {
  const draw = random(3)
  const rows = Array.from({ length: 400 }, (_, n) => {
    const [customer, level] = n % 4 === 0 ? [`big${n % 20}`, 9] : [`small${n % 40}`, 5]
    return `${customer},${Math.expm1(level + 0.9 * standardNormal(draw)).toFixed(2)},${(1e-6 * standardNormal(draw) + (level - 5) * 5).toFixed(9)}`
  })
  const file = fileOf('shop.csv', ['customer,spend,days', ...rows].join('\n'))
  const options = ['--components', '2', '--transform', 'spend=log1p,none', '--covariance', 'diag']
  const parsed = (text: string) =>
    text
      .split('\n')
      .slice(0, 3)
      .map(line => line.trim().split(/ {2,}/))

  it('shows true means beside medians, customers beside events, the largest segment first', async () => {
    const { stdout } = await runCommand(fitCommand, ['--input', file, ...options])
    const [head, first, second] = parsed(stdout)
    expect(head).toEqual(['segment', 'share', 'customers', 'spend, mean', 'median', 'days'])
    expect([first![1], second![1]]).toEqual(['75.0%', '25.0%'])
    // 30 customers whose number is no multiple of 4, and 5 whose is.
    expect([first![2], second![2]]).toEqual(['30', '5'])
    const small = rows.filter(row => row.startsWith('small')).map(row => Number(row.split(',')[1]))
    const mean = small.reduce((a, b) => a + b, 0) / small.length
    const median = small.toSorted((a, b) => a - b)[small.length / 2]!
    const shown = first!.slice(3, 5).map(cell => Number(cell.replaceAll(',', '')))
    expect(shown[0]! / mean).toBeCloseTo(1, 1)
    expect(shown[1]! / median).toBeCloseTo(1, 0)
    expect(shown[0]! / shown[1]!).toBeGreaterThan(1.3)
  })

  it('has no figure that is nothing beside the others', async () => {
    const { stdout } = await runCommand(fitCommand, ['--input', file, ...options])
    expect(parsed(stdout).map(cells => cells[5])).toEqual(['days', '0', '20'])
    expect(stdout).not.toMatch(/e[-+]\d|NaN|Infinity/)
  })
})
