import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'eddy-installed-'))
const app = join(folder, 'app')
const csv = join(folder, 'events.csv')

/** The machine's own Node, not the one of this repository's node_modules. */
const environment = {
  ...process.env,
  PATH: process.env
    .PATH!.split(delimiter)
    .filter(part => !part.includes('node_modules'))
    .join(delimiter),
}
const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, {
    cwd,
    env: environment,
    encoding: 'utf8',
    timeout: 180_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  })

beforeAll(() => {
  run('npx', ['nx', 'run-many', '-t', 'build', '--parallel=1'], root)
  run('npm', ['pack', '--workspaces', '--ignore-scripts', '--pack-destination', folder], root)
  const packages = readdirSync(folder).filter(file => file.endsWith('.tgz'))
  expect(packages).toHaveLength(['libs', 'services'].flatMap(kind => readdirSync(join(root, kind))).length)
  run('mkdir', ['app'], folder)
  writeFileSync(join(app, 'package.json'), '{"private":true}')
  run('npm', ['install', '--no-audit', '--no-fund', ...packages.map(file => join('..', file))], app)
  const rows = Array.from({ length: 600 }, (_, i) => `c${i},${(i % 3) * 10 + (i % 7) / 3},${(i % 5) / 2}`)
  writeFileSync(csv, `customer,a,b\n${rows.join('\n')}\n`)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('installed from packages, `npx eddy` fits, scores and runs the pipeline', () => {
  expect(run('npx', ['eddy', '--version'], app)).toMatch(/^\d+\.\d+\.\d+\n$/)
  run('npx', ['eddy', 'fit', '--input', csv, '--components', '3', '--out', 'model.json'], app)
  expect(run('npx', ['eddy', 'score', '--model', 'model.json', '--input', csv], app).trim().split('\n')).toHaveLength(
    600,
  )
  const up = run('npx', ['eddy', 'up', '--replay', csv, '--exit-when-drained', '--json', '--port', '0'], app)
  expect(JSON.parse(up.trim().split('\n').at(-1)!)).toMatchObject({ events: 600, labels: 600, deadLetters: 0 })
})
