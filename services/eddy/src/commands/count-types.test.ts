import { random } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { explainCommand } from './explain.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'
import { selectCommand } from './select.ts'

/** The quantile of counts of which 40 % are always 0, the others Poisson of this rate. */
function zeroInflated(u: number, rate: number): number {
  if (u < 0.4) return 0
  let left = (u - 0.4) / 0.6
  let x = 0
  for (let p = Math.exp(-rate); left >= p && p > 0; p *= rate / ++x) left -= p
  return x
}

/** Counts of two groups that many families of counts can learn: a value of each group, and what its JSON says of it. */
const families = {
  'negative-binomial': {
    key: 'negative_binomial',
    means: [3, 90],
    /** Geometric: a Poisson distribution of these means would need many components. */
    value: (uniform: number, group: number) => Math.floor(Math.log(1 - uniform) / Math.log([3 / 4, 90 / 91][group]!)),
  },
  'zero-inflated': {
    key: 'zero_inflated',
    means: [0.6 * 4, 0.6 * 60],
    value: (uniform: number, group: number) => zeroInflated(uniform, [4, 60][group]!),
  },
}

describe.each(Object.entries(families))('a count of type %s', (type, { key, means, value }) => {
  const draw = random(11)
  const rows = Array.from({ length: 1500 }, (_, i) => {
    const group = i % 3 === 0 ? 0 : 1
    return `${i % 20 === 0 ? '' : value(draw(), group)},${value(draw(), group)},${value(draw(), group)}`
  })
  const input = fileOf(`${type}.csv`, `visits,orders,clicks\n${rows.join('\n')}\n`)
  const types = ['--types', `visits=${type},orders=${type},clicks=${type}`]
  const model = fileOf(`${type}.json`, '')

  it.each(['batch', 'stepwise', 'hard'])('is learned by %s', async algorithm => {
    const argv = ['--input', input, ...types, '--components', '2', '--algorithm', algorithm, '--out', model, '--json']
    const { stdout, stderr, code } = await runCommand(fitCommand, argv)
    expect(code, stderr).toBe(0)
    const json = JSON.parse(stdout)
    expect(json[`${key}_names_`]).toEqual(['visits', 'orders', 'clicks'])
    const found = json[`${key}_means_`].toSorted((a: number[], b: number[]) => a[0]! - b[0]!)
    means.forEach((mean, k) => {
      for (const own of found[k]) expect(Math.abs(own / mean - 1)).toBeLessThan(0.25)
    })
  })

  it('is scored and explained by the model of the file', async () => {
    const scored = await runCommand(scoreCommand, ['--model', model, '--input', input])
    expect(scored.code, scored.stderr).toBe(0)
    const segments = scored.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).segment as number)
    const first = segments[0]!
    const right = segments.filter((segment, i) => (segment === first) === (i % 3 === 0)).length
    expect(right).toBeGreaterThan(1350)
    const explained = await runCommand(explainCommand, ['--model', model, '--input', input])
    expect(explained.code, explained.stderr).toBe(0)
    expect(explained.stdout).toMatch(/visits/)
  })

  it('has two segments by cross-validation', async () => {
    const argv = ['--input', input, ...types, '--max-components', '3', '--folds', '3', '--restarts', '3', '--json']
    const { stdout, stderr, code } = await runCommand(selectCommand, argv)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ chosen: 2 })
  })

  it('refuses what is no count', async () => {
    const wrong = fileOf('negative.csv', 'visits\n1\n-2\n')
    const argv = ['--input', wrong, '--types', `visits=${type}`, '--components', '1']
    const { stderr } = await runCommand(fitCommand, argv)
    expect(stderr).toContain('visits: expected a count (0, 1, 2 …), got "-2"')
  })
})

describe.each(['count', ...Object.keys(families)])('a count of type %s under an exposure', type => {
  const draw = random(12)
  // Two groups of 2 and 12 visits a month: their counts overlap, as the first was watched for longer.
  const poisson = (mean: number) => {
    let count = -1
    for (let left = mean; left > 0; count++) left += Math.log(1 - draw())
    return Math.max(count, 0)
  }
  const rows = Array.from({ length: 600 }, (_, i) => {
    const group = i % 3 === 0 ? 0 : 1
    const months = group === 0 ? 2 + 2 * draw() : 0.5 + 0.5 * draw()
    return `${months},${poisson([2, 12][group]! * months)},${poisson([3, 20][group]! * months)}`
  })
  const input = fileOf(`exposed-${type}.csv`, `months,visits,clicks\n${rows.join('\n')}\n`)
  const flags = ['--types', `visits=${type},clicks=${type}`, '--exposure', 'visits=months,clicks=months']
  const model = fileOf(`exposed-${type}.json`, '')

  it.each(['stepwise', 'batch'])('is told by its rate, by %s', async algorithm => {
    const argv = ['--input', input, ...flags, '--components', '2', '--algorithm', algorithm, '--out', model]
    const { stdout, stderr, code } = await runCommand(fitCommand, argv)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/segment\s+share\s+visits per months\s+clicks per months\n/)
    const scored = await runCommand(scoreCommand, ['--model', model, '--input', input])
    expect(scored.code, scored.stderr).toBe(0)
    const segments = scored.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).segment as number)
    const right = segments.filter((segment, i) => (segment === segments[0]) === (i % 3 === 0)).length
    expect(right).toBeGreaterThan(585)
  })

  it('is explained by its own contribution, and has two segments by cross-validation', async () => {
    const explained = await runCommand(explainCommand, ['--model', model, '--input', input])
    expect(explained.code, explained.stderr).toBe(0)
    const argv = ['--input', input, ...flags, '--max-components', '3', '--folds', '3', '--restarts', '3', '--json']
    const { stdout, stderr, code } = await runCommand(selectCommand, argv)
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ chosen: 2 })
  })

  it('is refused without its exposure, by fit and by score', async () => {
    const none = fileOf('none.csv', 'months,visits,clicks\n2,4,6\n,3,5\n')
    const zero = fileOf('zero.csv', 'months,visits,clicks\n2,4,6\n0,3,5\n')
    for (const [file, got] of [
      [none, 'none'],
      [zero, '"0"'],
    ] as const) {
      const message = `:3: months: expected an exposure (a number above 0), got ${got}`
      const fitted = await runCommand(fitCommand, ['--input', file, ...flags, '--components', '1'])
      expect(fitted.stderr).toContain(message)
      const scored = await runCommand(scoreCommand, ['--model', model, '--input', file])
      expect(scored.stderr).toContain(message)
    }
  })
})

describe('eddy fit --exposure', () => {
  const input = fileOf('days.csv', 'days,visits,spend\n2,4,6.5\n1,3,5.5\n')
  it.each([
    [['--exposure', 'visits'], 'Expected count=column, such as visits=days, got "visits"'],
    [['--exposure', 'visits=days'], 'features.visits.exposure: expected none for a number, got days'],
    [['--types', 'visits=count,days=exposure'], 'features.days: expected a count with exposure: days, got none'],
    [
      ['--types', 'visits=count,days=count', '--exposure', 'visits=days'],
      '--exposure visits=days: expected a column of type exposure, got --types days=count',
    ],
    [
      ['--features', 'spend', '--exposure', 'visits=days'],
      '--exposure: expected a count among the features, got visits=days',
    ],
    [
      ['--types', 'visits=count', '--exposure', 'visits=days', '--algorithm', 'kmeans'],
      'features.visits.exposure: expected none for k-means',
    ],
  ])('refuses %j', async (flags, message) => {
    const { stderr, code } = await runCommand(fitCommand, ['--input', input, ...flags, '--components', '1'])
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
  })
})
