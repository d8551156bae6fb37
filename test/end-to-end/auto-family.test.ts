import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { eddy, temporaryFolder } from '../eddy-process.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

/** Evenly spread over (0, 1), and in no order. */
const spread = (i: number): number => (i * 0.6180339887 + 0.123) % 1
/** The quantile of a t of 2 degrees of freedom, whose variance is infinite. */
const heavy = (u: number): number => (2 * u - 1) / Math.sqrt(2 * u * (1 - u))
/** Normal (Box & Muller 1958), of two sequences that are spread over the square. */
const light = (i: number): number =>
  Math.sqrt(-2 * Math.log(1 - spread(i))) * Math.cos(2 * Math.PI * ((i * Math.SQRT2) % 1))

it('eddy up chooses for each segment how heavy its tails are, and a model of it scores a file', async () => {
  const input = join(folder.path, 'tails.csv')
  const rows = Array.from({ length: 6000 }, (_, i) => `c${i},${i % 2 === 0 ? 50 + heavy(spread(i)) : light(i)}`)
  writeFileSync(input, `customer,x\n${rows.join('\n')}\n`)
  const config = join(folder.path, 'eddy.yaml')
  const yaml = (more: string) =>
    `model: { name: test, components: 2, family: auto, batchSize: 256, maxWaitMs: 100, warmUp: { events: 1000 }${more} }
features: [{ name: x, transform: none }]
`
  writeFileSync(config, yaml(''))
  const data = join(folder.path, 'data')
  const argv = ['--replay', input, '--exit-when-drained', '--json', '--data-dir', data, '--port', '0']
  expect((await eddy('up', '--config', config, ...argv)).code).toBe(0)
  const model = join(folder.path, 'model.json')
  const shown = await eddy('models', 'show', 'test', '--data-dir', data, '--json')
  writeFileSync(model, shown.stdout)
  const { parameters } = JSON.parse(shown.stdout) as { parameters: Record<string, number[]> }
  expect(
    parameters.degreesOfFreedom!.toSorted((a, b) => a - b),
    shown.stderr,
  ).toEqual([2.5, 1e4])
  const scored = await eddy('score', '--model', model, '--input', input)
  expect(scored.stdout.trim().split('\n')).toHaveLength(6000)
  writeFileSync(config, yaml(', degreesOfFreedom: 5'))
  const wrong = await eddy('up', '--config', config, ...argv)
  expect(wrong.stderr).toContain('degreesOfFreedom: expected none with family auto, which chooses them, got 5')
})
