import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { eddy, temporaryFolder } from '../eddy-process.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const lastLine = (text: string): Record<string, unknown> => JSON.parse(text.trim().split('\n').at(-1) as string)
/** Evenly spread over (0, 1), and in no order. */
const spread = (i: number): number => (i * 0.6180339887) % 1

/** The quantile of counts of which 40 % are always 0, the others Poisson of this rate. */
function zeroInflated(u: number, rate: number): number {
  if (u < 0.4) return 0
  let left = (u - 0.4) / 0.6
  let x = 0
  for (let p = Math.exp(-rate); left >= p && p > 0; p *= rate / ++x) left -= p
  return x
}

const types = {
  'negative-binomial': {
    means: [3, 90],
    value: (u: number, group: number) => Math.floor(Math.log(1 - u) / Math.log([3 / 4, 90 / 91][group]!)),
  },
  'zero-inflated': {
    means: [0.6 * 4, 0.6 * 60],
    value: (uniform: number, group: number) => zeroInflated(uniform, [4, 60][group]!),
  },
}

describe.each(Object.entries(types))('eddy up with counts of type %s', (type, { means, value }) => {
  it('learns them from eddy.yaml, keeps them in snapshots, shows their means and refuses what is no count', async () => {
    const input = join(folder.path, `${type}.csv`)
    const rows = Array.from({ length: 3000 }, (_, i) => {
      const group = i % 3 === 0 ? 0 : 1
      return `c${i},${value(spread(i), group)},${value(spread(7 * i + 3), group)},${spread(11 * i)}`
    })
    writeFileSync(input, `customer,visits,orders,amount\n${rows.join('\n')}\nc,-4,1,1\n`)
    const config = join(folder.path, `${type}.yaml`)
    writeFileSync(
      config,
      `model: { name: test, components: 2, batchSize: 256, maxWaitMs: 100, warmUp: { events: 1000 } }
features:
  - { name: visits, type: ${type} }
  - { name: orders, type: ${type} }
  - { name: amount }
`,
    )
    const data = join(folder.path, type)
    const argv = ['--replay', input, '--exit-when-drained', '--json', '--data-dir', data, '--port', '0']
    const { stdout } = await eddy('up', '--config', config, ...argv)
    const totals = lastLine(stdout)
    expect(totals).toMatchObject({ events: 3001, labels: 3000, deadLetters: 1 })
    const segments = totals.segments as { centre: { visits: number } }[]
    const visits = segments.map(({ centre }) => centre.visits).toSorted((a, b) => a - b)
    means.forEach((mean, k) => {
      expect(Math.abs(visits[k]! / mean - 1)).toBeLessThan(0.25)
    })
  })
})

it('eddy up learns rates under an exposure, refuses events without it, and a configuration that gives it to no count', async () => {
  const input = join(folder.path, 'exposed.csv')
  const rows = Array.from({ length: 3000 }, (_, i) => {
    const group = i % 3 === 0 ? 0 : 1
    const months = group === 0 ? 2 + 2 * spread(i) : 0.5 + 0.5 * spread(i)
    return `c${i},${months},${Math.round([2, 12][group]! * months * (0.5 + spread(7 * i)))},${spread(11 * i)}`
  })
  writeFileSync(input, `customer,months,visits,amount\n${rows.join('\n')}\nc,,1,1\nd,0,1,1\n`)
  const config = join(folder.path, 'exposed.yaml')
  const yaml = (
    visits: string,
  ) => `model: { name: test, components: 2, batchSize: 256, maxWaitMs: 100, warmUp: { events: 1000 } }
features:
  - { name: visits, type: ${visits} }
  - { name: amount }
  - { name: months, type: exposure }
`
  writeFileSync(config, yaml('count, exposure: months'))
  const data = join(folder.path, 'exposed')
  const argv = ['--replay', input, '--exit-when-drained', '--json', '--data-dir', data, '--port', '0']
  const { stdout } = await eddy('up', '--config', config, ...argv)
  const totals = lastLine(stdout)
  expect(totals).toMatchObject({ events: 3002, labels: 3000, deadLetters: 2 })
  const segments = totals.segments as { centre: Record<string, number> }[]
  expect(segments.map(({ centre }) => Object.keys(centre))).toEqual([
    ['visits', 'amount'],
    ['visits', 'amount'],
  ])
  const rates = segments.map(({ centre }) => centre.visits!).toSorted((a, b) => a - b)
  expect(Math.abs(rates[0]! / 2 - 1)).toBeLessThan(0.1)
  expect(Math.abs(rates[1]! / 12 - 1)).toBeLessThan(0.1)
  const letters = await eddy('dead-letters', 'list', '--data-dir', data)
  expect(letters.stdout, letters.stderr).toContain('months: expected an exposure (a number above 0), got none')
  writeFileSync(config, yaml('count'))
  const other = await eddy('up', '--config', config, ...argv)
  expect(other.stderr).toContain('features.months: expected a count with exposure: months, got none')
})
