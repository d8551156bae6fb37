import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'eddy-installed-'))
const app = join(folder, 'app')
const csv = join(folder, 'events.csv')

/** The oldest Node that packages promise to run on, beside the one that the command brings. */
const oldest = '22.19.0'

interface Manifest {
  readonly name: string
  readonly repository: { readonly directory: string }
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}
const packages = new Map(
  globSync('{libs,services}/*/package.json', { cwd: root })
    .map(path => JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest)
    .map(manifest => [manifest.name, manifest]),
)
const libraries = [...packages.values()]
  .filter(({ repository }) => repository.directory.startsWith('libs/'))
  .map(({ name }) => name)
const archiveOf = (name: string): string => join(folder, `${name.replace('@', '').replace('/', '-')}-0.1.0.tgz`)

/** What tests use: they need vitest, and say so. */
const forTests = ['@eddy/log/conformance', '@eddy/mixture/laws']
const entriesOf = ({ name, exports }: Manifest): string[] =>
  Object.keys(exports)
    .map(path => name + path.slice(1))
    .filter(entry => !forTests.includes(entry))

/** A package and those of ours that it needs. */
function withOurs(name: string, all = new Set<string>()): Set<string> {
  all.add(name)
  for (const other of Object.keys(packages.get(name)?.dependencies ?? {}))
    if (packages.has(other) && !all.has(other)) withOurs(other, all)
  return all
}

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

/** An empty folder with these packages in it. */
function install(at: string, names: Iterable<string>, ...flags: string[]): void {
  mkdirSync(at)
  writeFileSync(join(at, 'package.json'), '{"private":true}')
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  run(
    'npm',
    ['install', ...quiet, ...flags, ...Array.from(names, name => (packages.has(name) ? archiveOf(name) : name))],
    at,
  )
}

const importAll = (entries: readonly string[]): string[] => [
  '--disable-warning=ExperimentalWarning',
  '--input-type=module',
  '--eval',
  `for (const entry of ${JSON.stringify(entries)}) await import(entry)`,
]

beforeAll(() => {
  run('npx', ['nx', 'run-many', '-t', 'build', '--parallel=1'], root)
  run('npm', ['pack', '--workspaces', '--ignore-scripts', '--pack-destination', folder], root)
  const rows = Array.from({ length: 600 }, (_, i) => `c${i},${(i % 3) * 10 + (i % 7) / 3},${(i % 5) / 2}`)
  writeFileSync(csv, `customer,a,b\n${rows.join('\n')}\n`)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('installed from packages, `npx @eddy/cli` fits, scores and runs the pipeline', () => {
  install(app, packages.keys())
  const eddy = (...args: string[]): string => run('npx', ['@eddy/cli', ...args], app)
  expect(eddy('--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(run('npx', ['eddy', '--version'], app)).toBe(eddy('--version'))
  eddy('fit', '--input', csv, '--components', '3', '--out', 'model.json')
  expect(eddy('score', '--model', 'model.json', '--input', csv).trim().split('\n')).toHaveLength(600)
  const up = eddy('up', '--replay', csv, '--exit-when-drained', '--json', '--port', '0')
  expect(JSON.parse(up.trim().split('\n').at(-1)!)).toMatchObject({ events: 600, labels: 600, deadLetters: 0 })
})

describe('each library by itself', () => {
  it.each(libraries)('%s: installs in an empty folder and can be imported', name => {
    const at = join(folder, name.replace('/', '-'))
    install(at, withOurs(name), '--ignore-scripts')
    run(process.execPath, importAll(entriesOf(packages.get(name)!)), at)
  })
})

it(`runs on Node ${oldest} too, the oldest that packages promise`, () => {
  const old = join(folder, 'old')
  install(old, [`node@${oldest}`])
  const node = join(old, 'node_modules/node/bin/node')
  expect(run(node, ['--version'], app)).toBe(`v${oldest}\n`)
  run(node, importAll([...packages.values()].flatMap(entriesOf)), app)
  const main = join(app, 'node_modules/@eddy/cli/dist/main.js')
  const flags = ['--replay', csv, '--exit-when-drained', '--json', '--port', '0', '--data-dir', join(folder, 'data')]
  const up = run(node, ['--disable-warning=ExperimentalWarning', main, 'up', ...flags], app)
  expect(JSON.parse(up.trim().split('\n').at(-1)!)).toMatchObject({ events: 600, labels: 600, deadLetters: 0 })
})
