import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { median } from '../kernels/statistics.ts'
import type { CellResult } from './command.ts'

/** A gap that counts, nats an event. */
const GAP = 0.02

const mark = '<!-- table -->'

const gapsTo = (of: 'best' | 'fit', seed: 0 | 1) => (result: CellResult) =>
  result.batch[of] - result.onePass.heldOut[seed]

/** How many cells are behind, and how alike two seeds are. */
export function onePassSummary(results: readonly CellResult[]): string {
  const behind = (of: 'best' | 'fit', seed: 0 | 1) => {
    const gaps = results.map(gapsTo(of, seed))
    return `${gaps.filter(gap => gap > GAP).length} of ${gaps.length} (median gap ${median(gaps).toFixed(4)})`
  }
  const middle = (of: (result: CellResult) => number) => median(results.map(of)).toFixed(2)
  return [
    '| more than .02 nats behind | seed 1 | seed 2 |',
    '| --- | --- | --- |',
    `| batch EM from its own default start | ${behind('fit', 0)} | ${behind('fit', 1)} |`,
    `| the best of six batch fits | ${behind('best', 0)} | ${behind('best', 1)} |`,
    '',
    `Adjusted Rand index of two seeds, median: ${middle(r => r.onePass.agreement)}; of two batch fits ${middle(r => r.batch.agreement)}.`,
  ].join('\n')
}

/** Puts summary and table between the page's marks. */
export function writeOnePassPage(file: string, results: readonly CellResult[]): void {
  const rows = results.map(result => {
    const { set, components, onePass, batch } = result
    const gaps = ([0, 1] as const).flatMap(seed => [gapsTo('fit', seed)(result), gapsTo('best', seed)(result)])
    const cells = [
      set.name,
      set.train.toLocaleString('en'),
      set.columns,
      components,
      onePass.heldOut[0].toFixed(3),
      ...gaps.map(gap => gap.toFixed(3)),
      onePass.agreement.toFixed(2),
      batch.agreement.toFixed(2),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const text = readFileSync(file, 'utf8')
  const table = [
    '| data | events learned | d | K | held-out log p, seed 1 | gap to fit | gap to best | seed 2: to fit | to best | ARI of seeds | of batch |',
    `|${' --- |'.repeat(11)}`,
    ...rows,
  ].join('\n')
  const head = text.slice(0, text.indexOf(mark) + mark.length)
  const tail = text.slice(text.lastIndexOf(mark))
  writeFileSync(file, `${head}\n\n${onePassSummary(results)}\n\n${table}\n\n${tail}`)
  execFileSync('npx', ['biome', 'format', '--write', file])
}
