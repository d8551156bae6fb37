import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { random, standardNormal } from '@eddy/mixture'
import { afterAll, describe, expect, it } from 'vitest'
import { eddy, replayArguments, temporaryFolder } from '../eddy-process.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const cases = join(import.meta.dirname, '../cases/late-segment')

interface Segment {
  readonly id: string
  readonly weight: number
  readonly centre: { readonly a: number; readonly b: number }
}

async function segmentsOf(
  input: string,
  model: string,
  features = '[{ name: a }, { name: b }]',
): Promise<readonly Segment[]> {
  const config = join(folder.path, 'eddy.yaml')
  writeFileSync(config, `model: { name: t, ${model} }\nfeatures: ${features}\n`)
  const data = join(folder.path, `${basename(input)}.data`)
  const finished = await eddy(...replayArguments({ config, input, data }))
  expect(finished.code, finished.stderr).toBe(0)
  const { segments } = JSON.parse(finished.stdout.trim().split('\n').at(-1)!) as { segments: Segment[] }
  return segments.toSorted((x, y) => x.centre.a - y.centre.a)
}

describe('eddy up, when a new kind of customer comes after the warm-up', () => {
  // What batch EM finds in the file: weight and centre.
  it.each([
    ['late', 0.625, 0.375],
    ['sorted', 0.5, 0.5],
    ['shuffled', 0.5, 0.5],
  ])('%s.csv ends as batch EM ends', async (name, first, second) => {
    const warmUp = 'components: 2, warmUp: { events: 50, initialisation: split }, batchSize: 10'
    const [a, b] = await segmentsOf(join(cases, `${name}.csv`), warmUp)
    expect([a!.weight, b!.weight]).toEqual([expect.closeTo(first, 2), expect.closeTo(second, 2)])
    for (const x of [a!.centre.a, a!.centre.b]) expect(Math.abs(x)).toBeLessThan(0.2)
    for (const x of [b!.centre.a, b!.centre.b]) expect(Math.abs(x - 12)).toBeLessThan(0.3)
  })
})

describe('eddy up with its defaults', () => {
  it('counts one odd event as one, also where it is a mini-batch of its own', async () => {
    const input = join(folder.path, 'odd.csv')
    // 4,096 of the warm-up, a mini-batch of 1,024, and one: around 0 in pairs.
    const rows = Array.from({ length: 5120 }, (_, n) => (n % 2 === 0 ? 1 : -1) * (1 + Math.floor(n / 2) / 2560))
    writeFileSync(input, `customer,a\n${[...rows, 40].map((x, n) => `c${n},${x}`).join('\n')}\n`)
    const [segment] = await segmentsOf(input, 'components: 1', '[{ name: a }]')
    expect(segment!.centre.a).toBeCloseTo(40 / 5121, 9)
  })

  it('finds the groups of a file that is sorted by them', async () => {
    const input = join(folder.path, 'groups.csv')
    const next = random(3)
    const groups = [[0, 10_000] as const, [6, 6000] as const, [12, 4000] as const]
    const rows = groups.flatMap(([centre, size]) =>
      Array.from({ length: size }, () => `${centre + standardNormal(next)},${standardNormal(next)}`),
    )
    writeFileSync(input, `customer,a,b\n${rows.map((row, n) => `c${n},${row}`).join('\n')}\n`)
    const segments = await segmentsOf(input, 'components: 3')
    for (const [k, [centre, size]] of groups.entries()) {
      expect(Math.abs(segments[k]!.weight - size / 20_000)).toBeLessThan(0.005)
      expect(Math.abs(segments[k]!.centre.a - centre)).toBeLessThan(0.1)
    }
  })
})
