import { expect, test } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { selectCommand } from './select.ts'

const folder = new URL('../../../../libs/mixture/test/published/', import.meta.url).pathname

/** Numbers of segments in the literature of each set: see the README beside the data. */
test.each([
  ['faithful', [2, 3]],
  ['iris', [2, 3]],
  ['diabetes', [3]],
  ['acidity', [2]],
  ['galaxies', [3, 4, 5, 6]],
])(
  'eddy select finds in %s what the literature finds, with any of three seeds',
  { timeout: 300_000 },
  async (set, expected) => {
    for (const seed of ['1', '2', '3']) {
      const argv = ['--input', `${folder}${set}.csv`, '--max-components', '8', '--seed', seed, '--json']
      const { stdout } = await runCommand(selectCommand, argv)
      expect(expected, `seed ${seed}`).toContain(JSON.parse(stdout).chosen)
    }
  },
)
