import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { explainCommand } from './explain.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'

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

  it.each([
    ['explain', explainCommand, ['segment', 'posterior', 'entropy', 'runnerUp', 'logOdds', 'prior', 'contributions']],
    ['score', scoreCommand, ['segment', 'posterior', 'logDensity']],
  ] as const)(
    '%s --json: nothing but JSON on stdout, in the documented shape; errors on stderr',
    async (_, make, keys) => {
      const csv = fileOf('json.csv', 'a\n1\n2\nx\n4\n')
      const model = fileOf('json.json', '')
      await runCommand(fitCommand, ['--input', fileOf('fit.csv', 'a\n1\n2\n4\n'), '--components', '1', '--out', model])
      const argv = ['--model', model, '--input', csv, '--json']
      const { stdout, stderr, code } = await runCommand(make, [...argv, '--skip-invalid'])
      expect([code, stderr]).toEqual([0, expect.stringContaining('eddy: skipped')])
      const lines = stdout.trimEnd().split('\n')
      expect(lines.map(line => Object.keys(JSON.parse(line)))).toEqual([keys, keys, keys])
      const failed = await runCommand(make, argv)
      expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('json.csv:4: a: expected') })
    },
  )

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
