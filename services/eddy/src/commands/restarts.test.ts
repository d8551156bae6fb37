import { expect, test } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { classifyCommand } from './classify.ts'
import { fitCommand } from './fit.ts'
import { selectCommand } from './select.ts'

// The speeds of 82 galaxies, 1000 km/s (Roeder 1990).
const galaxies = new URL('../../../../libs/mixture/test/published/galaxies.csv', import.meta.url).pathname

test.each([
  ['fit', fitCommand],
  ['select', selectCommand],
  ['classify', classifyCommand],
])('eddy %s has --restarts', async (_name, command) => {
  const { code, stderr } = await runCommand(command, ['--input', galaxies, '--restarts', '0'])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('from 1 to 10000, got "0"') })
})

test('more starts find what fewer do not', async () => {
  const bound = async (...argv: string[]) => {
    const all = ['--input', galaxies, '--components', '5', '--transform', 'none', '--json', ...argv]
    const { stdout } = await runCommand(fitCommand, all)
    return JSON.parse(stdout).lower_bound_ as number
  }
  const few = await Promise.all(
    ['1', '2', '3', '4'].map(seed => bound('--restarts', '1', '--init', 'random', '--seed', seed)),
  )
  expect(Math.min(...few)).toBeLessThan((await bound()) - 0.02)
})

test('one pass takes the number of runs too', async () => {
  const file = fileOf('few.csv', 'x\n1\n2\n3\n9\n8\n7\n')
  const argv = ['--input', file, '--components', '2', '--algorithm', 'stepwise', '--restarts', '3', '--json']
  const { code, stdout } = await runCommand(fitCommand, argv)
  expect([code, JSON.parse(stdout).specification.warmUp.restarts]).toEqual([0, 3])
})
