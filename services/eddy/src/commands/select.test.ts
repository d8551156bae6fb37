import { random, standardNormal } from '@eddy/mixture'
import { expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { fitCommand } from './fit.ts'
import { selectCommand } from './select.ts'

const next = random(5)
const three = Array.from({ length: 900 }, (_, i) => [
  10 * (i % 3) + standardNormal(next),
  (i % 3 === 1 ? 12 : 0) + 2 * standardNormal(next),
])
const csv = fileOf('three.csv', 'a,b\n' + three.map(row => row.join(',')).join('\n'))
const select = (...argv: string[]) => runCommand(selectCommand, ['--input', csv, '--max-components', '5', ...argv])

it.each(['cross-validation', 'prequential', 'bic'])('eddy select finds three segments by %s', async criterion => {
  const { stdout, code } = await select('--criterion', criterion, '--json')
  expect(code).toBe(0)
  const selection = JSON.parse(stdout)
  expect(selection).toMatchObject({ criterion, chosen: 3 })
  expect(selection.candidates.map((c: { components: number }) => c.components)).toEqual([1, 2, 3, 4, 5])
  const [one, , best] = selection.candidates
  expect(best.parameters).toBe(17)
  expect(best.bic).toBeCloseTo(17 * Math.log(900) - 2 * 900 * best.meanLogLikelihood, 6)
  expect(best.aic).toBeCloseTo(2 * 17 - 2 * 900 * best.meanLogLikelihood, 6)
  // Held-out events are a little less likely than learned ones, and much more than under one segment.
  expect(best.crossValidation).toBeLessThan(best.meanLogLikelihood)
  expect(best.crossValidation).toBeGreaterThan(best.meanLogLikelihood - 0.1)
  expect(one.behind).toBeGreaterThan(10 * one.behindError)
})

it('prints a table with the choice of each criterion, and a picture', async () => {
  const plot = fileOf('select.svg', '')
  const { stdout, stderr } = await select('--plot', plot)
  expect(stdout).toMatch(
    /components\s+parameters\s+cross-validation\s+behind the best\s+prequential\s+BIC\s+AIC\s+ICL\s+stability\n/,
  )
  expect(stdout).toMatch(/\n\s+3\s+17\s+-\d+\.\d{4} \*/)
  expect(stdout).toMatch(/3 components by cross-validation/)
  expect(stderr).toContain(`wrote ${plot}`)
})

it('compares forms of covariance with every number', async () => {
  const { stdout } = await select('--covariance', 'all', '--max-components', '3')
  expect(stdout).toMatch(/covariance\s+components\s+parameters/)
  for (const form of ['full', 'tied', 'diag', 'spherical'])
    expect(stdout).toMatch(new RegExp(`\\n ${form}\\s+3\\s+\\d+`))
  expect(stdout).toMatch(/3 components, \w+, by cross-validation/)
  const { covariance, covariances } = JSON.parse((await select('--covariance', 'all', '--json')).stdout)
  expect(covariances['cross-validation']).toBe(covariance)
})

it('warns where BIC and held-out events disagree', async () => {
  // 300 events of three clear segments in 6 dimensions: too few for BIC's penalty.
  const centres = [
    [0, 0],
    [4, 0],
    [2, 3.5],
  ]
  const draw = random(4)
  const rows = Array.from({ length: 300 }, (_, i) =>
    Array.from({ length: 6 }, (_, j) => (centres[i % 3]![j] ?? 0) + standardNormal(draw)).join(','),
  )
  const few = fileOf('few.csv', 'a,b,c,d,e,f\n' + rows.join('\n'))
  const argv = ['--input', few, '--max-components', '4', '--variance-floor', '0.01', '--json']
  const { stdout, stderr } = await runCommand(selectCommand, argv)
  const { choices } = JSON.parse(stdout)
  expect(choices.bic).toBeLessThan(choices['cross-validation'])
  expect(stderr).toMatch(/BIC takes \d, events that were held out take \d\. .*believe the held-out events/)
})

it.each([
  [['--min-components', '6'], 2, /--max-components: expected at least --min-components \(6\), got 5/],
  [['--init', 'x.json'], 2, /--init: expected auto, kmeans\+\+, random or split, got x\.json/],
  [['--folds', '1'], 2, /Expected a whole number from 2 to 100, got "1"/],
])('refuses %s', async (argv, code, message) => {
  expect(await select(...argv)).toMatchObject({ code, stderr: expect.stringMatching(message) })
})

it('refuses more folds than records', async () => {
  const argv = ['--input', fileOf('tiny.csv', 'a\n1\n2\n')]
  const { code, stderr } = await runCommand(selectCommand, argv)
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/at least as many records as folds \(5\), got 2/),
  })
})

it('the number of segments does not depend on the unit', async () => {
  const draw = random(9)
  const shares = Array.from({ length: 200 }, () => Math.round(1e9 * Math.exp(-7 + 0.9 * standardNormal(draw))) / 1e9)
  const chosen = async (unit: number) => {
    const file = fileOf('rates.csv', 'rate\n' + shares.map(x => x * unit).join('\n'))
    const { stdout } = await runCommand(selectCommand, ['--input', file, '--max-components', '3', '--json'])
    return JSON.parse(stdout).chosen as number
  }
  expect([await chosen(1), await chosen(1e6)]).toEqual([1, 1])
})

it('rounded and zero-inflated numbers of one kind are one segment', async () => {
  const draw = random(3)
  const lines = Array.from({ length: 800 }, () =>
    [
      draw() < 0.5 ? 0 : Math.round(100 * Math.exp(3 + standardNormal(draw))) / 100,
      Math.round(40 + 6 * standardNormal(draw)),
    ].join(','),
  )
  const file = fileOf('till.csv', 'spend,age\n' + lines.join('\n'))
  const chosen = async (...argv: string[]) => {
    const { stdout } = await runCommand(selectCommand, ['--input', file, '--max-components', '4', '--json', ...argv])
    return JSON.parse(stdout).chosen as number
  }
  expect(await chosen('--transform', 'none')).toBe(4)
  expect(await chosen()).toBe(1)
})

it('customers are kept back whole: those of one gaussian with eight nearly equal events each are one segment', async () => {
  const draw = random(2)
  const lines = Array.from({ length: 24 }, (_, c) => [c, standardNormal(draw), standardNormal(draw)]).flatMap(
    ([c, a, b]) =>
      Array.from({ length: 8 }, () => `c${c},${a! + 0.02 * standardNormal(draw)},${b! + 0.02 * standardNormal(draw)}`),
  )
  const file = fileOf('repeated.csv', 'customer,a,b\n' + lines.join('\n'))
  const run = (...argv: string[]) =>
    runCommand(selectCommand, ['--input', file, '--max-components', '6', '--json', ...argv])
  const grouped = await run()
  expect(JSON.parse(grouped.stdout).chosen).toBe(1)
  const apart = await run('--no-group')
  expect(JSON.parse(apart.stdout).chosen).toBe(6)
  expect(apart.stderr).toContain(
    'the largest number compared, 6, was chosen: there may be more. Raise --max-components.',
  )
  const wrong = await run('--group', 'c')
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('--group: expected a column of the input') })
})

it('says where what was chosen is repeated values, and gives no star to a criterion that could tell nothing', async () => {
  const draw = random(6)
  const zeros = fileOf(
    'zeros.csv',
    'a\n' + Array.from({ length: 300 }, () => (draw() < 0.5 ? 0 : Math.exp(3 + standardNormal(draw)))).join('\n'),
  )
  const { stderr } = await runCommand(selectCommand, [
    ...['--input', zeros, '--max-components', '3', '--transform', 'none'],
  ])
  expect(stderr).toMatch(/of the \d segments chosen, with \d+\.\d% of the weight, (is|are) held at the variance floor/)
  const few = fileOf('seven.csv', 'a\n1\n2.5\n3\n4.7\n5.1\n6.2\n7.9')
  const argv = ['--input', few, '--max-components', '2', '--folds', '2', '--json']
  const told = await runCommand(selectCommand, argv)
  expect(JSON.parse(told.stdout).choices.prequential).toBe(null)
  const asked = await runCommand(selectCommand, [...argv, '--criterion', 'prequential'])
  expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('criterion: expected one that can tell') })
})

it('says which columns tell nothing, as fit does', async () => {
  const input = fileOf('constant.csv', ['a,b,c', ...Array.from({ length: 40 }, (_, i) => `7,${i % 9},`)].join('\n'))
  const commands = [
    [selectCommand, ['--max-components', '2']],
    [fitCommand, ['--components', '1']],
  ] as const
  for (const [make, argv] of commands) {
    const { stderr } = await runCommand(make, ['--input', input, '--features', 'a,b', ...argv])
    expect(stderr).toContain('eddy: a has one value in all events, and tells nothing of segments.')
    const id = await runCommand(make, [
      '--input',
      fileOf('id.csv', 'order_id,b\n1,2\n2,5\n3,3\n4,4\n9,1\n8,0\n'),
      ...argv,
      '--features',
      'order_id,b',
    ])
    expect(id.stderr).toContain('eddy: order_id looks like an id, whose numbers measure nothing.')
  }
})
