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
    const argv = ['--input', input, ...types, '--max-components', '3', '--json']
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
