import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { evaluateCommand } from './evaluate.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'

const folder = join(import.meta.dirname, '../../../../test/fixtures/models')
const { events, models } = JSON.parse(readFileSync(join(folder, 'scikit-learn.json'), 'utf8'))
const csv = (columns: string) =>
  fileOf('events.csv', `${columns}\n${events.map((row: number[]) => row.join(',')).join('\n')}\n`)
const lines = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
const score = (model: object, input: string, ...argv: string[]) =>
  runCommand(scoreCommand, ['--model', fileOf('given.json', JSON.stringify(model)), '--input', input, ...argv])

describe('a scikit-learn model', () => {
  it.each(['full', 'tied', 'diag', 'spherical'])('scores as scikit-learn scores: %s', async form => {
    const { weights_, means_, covariances_, score_samples, predict_proba } = models[form]
    const { stdout, stderr } = await score({ weights_, means_, covariances_ }, csv('a,b'))
    expect(stderr).toBe('')
    for (const [i, { logDensity, posterior }] of lines(stdout).entries()) {
      expect(logDensity / score_samples[i]).toBeCloseTo(1, 9)
      for (const [k, p] of posterior.entries()) expect(Math.abs(p - predict_proba[i][k])).toBeLessThan(1e-9)
    }
  })

  it('takes the columns it has names for, in any order, or all that are numbers', async () => {
    const { weights_, means_, covariances_, score_samples } = models.full
    const named = { weights_, means_, covariances_, feature_names_in_: ['spend', 'visits'] }
    const text = `visits,x,spend\n${events.map(([a, b]: number[]) => `${b},0,${a}`).join('\n')}\n`
    const given = lines((await score(named, fileOf('order.csv', text))).stdout)
    expect(given[0].logDensity / score_samples[0]).toBeCloseTo(1, 9)
    const three = await score({ weights_, means_, covariances_ }, fileOf('three.csv', text))
    expect(three).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/expected 2 columns of numbers, .* got 3 \(visits, x, spend\)/),
    })
    const evaluated = await runCommand(evaluateCommand, [
      '--model',
      fileOf('e.json', JSON.stringify({ weights_, means_, covariances_ })),
      '--input',
      csv('a,b'),
      '--json',
    ])
    const mean = score_samples.reduce((sum: number, v: number) => sum + v, 0) / score_samples.length
    expect(JSON.parse(evaluated.stdout).meanLogLikelihood / mean).toBeCloseTo(1, 9)
  })

  it('is refused where it cannot be one', async () => {
    const { weights_, means_, covariances_ } = models.full
    const refused = async (model: object) => (await score(model, csv('a,b'))).stderr
    expect(await refused({ weights_, means_ })).toMatch(/given\.json: covariances_: expected an array, got none/)
    expect(await refused({ weights_, means_, covariances_: covariances_.slice(1) })).toMatch(
      /covariances_: expected an array of 3/,
    )
    const two = { weights_: [0.5, 0.5], means_: means_.slice(1), covariances_: covariances_[0] }
    expect(await refused(two)).toMatch(/covariance_type: expected tied or diag/)
    expect(await refused({ ...two, covariance_type: 'tied' })).toBe('')
  })
})

describe('a model file that was edited', () => {
  it('is refused, and obeyed without its exact parameters', async () => {
    const input = csv('a,b')
    const { stdout } = await runCommand(fitCommand, ['--input', input, '--components', '2', '--json'])
    const model = JSON.parse(stdout)
    model.means_[0][0] += 1
    expect(await score(model, input)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/given\.json: means_\[0\]\[0\]: expected .* as model\.parameters has it/),
    })
    delete model.parameters
    delete model.precisions_cholesky_
    const before = lines((await score(JSON.parse(stdout), input)).stdout)
    const after = lines((await score(model, input)).stdout)
    expect(after).toHaveLength(before.length)
    expect(after.map(({ logDensity }) => logDensity)).not.toEqual(before.map(({ logDensity }) => logDensity))
  })

  it('says in which units it is spherical', async () => {
    const input = fileOf('units.csv', 'a,b\n1,100\n2,300\n4,200\n3,500\n')
    const argv = ['--input', input, '--components', '1', '--json', '--covariance', 'spherical']
    expect((await runCommand(fitCommand, argv)).stderr).toMatch(/spherical in standardised units, .*--no-transform/)
    const own = await runCommand(fitCommand, [...argv, '--no-transform'])
    expect(own.stderr).toBe('')
    expect(JSON.parse(own.stdout).covariance_type).toBe('spherical')
  })

  it('is a start for another fit, spherical too', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${(i % 2) * 50 + (i % 7)},${(i % 2) * 4000 + 100 * (i % 5)}`)
    const input = fileOf('sphere.csv', `a,b\n${rows.join('\n')}\n`)
    for (const form of ['spherical', 'diag', 'full', 'tied']) {
      const argv = ['--input', input, '--components', '2', '--covariance', form, '--tolerance', '1e-9', '--json']
      const fitted = await runCommand(fitCommand, argv)
      const again = await runCommand(fitCommand, [...argv, '--init', fileOf(`${form}.json`, fitted.stdout)])
      expect(again.code, again.stderr).toBe(0)
      const [a, b] = [JSON.parse(fitted.stdout).lower_bound_, JSON.parse(again.stdout).lower_bound_]
      expect(Math.abs(a - b)).toBeLessThan(1e-6)
    }
  })

  it('brings its own treatment as a start; a flag that says otherwise is refused', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => Math.exp(((i * 37) % 200) / 40 + (i % 2) * 4).toFixed(6))
    const input = fileOf('skewed.csv', `a\n${rows.join('\n')}\n`)
    const argv = ['--input', input, '--components', '2', '--json']
    const fitted = await runCommand(fitCommand, argv)
    const init = ['--init', fileOf('skewed.json', fitted.stdout)]
    expect((await runCommand(fitCommand, [...argv, ...init, '--transform', 'auto'])).code).toBe(0)
    for (const flags of [
      ['--transform', 'none'],
      ['--transform', 'a=log1p'],
      ['--no-transform'],
      ['--resolution', 'a=0.5'],
    ]) {
      const { code, stderr } = await runCommand(fitCommand, [...argv, ...init, ...flags])
      expect([flags, code, stderr]).toEqual([flags, 2, expect.stringContaining('as the model of --init has it')])
    }
  })
})
