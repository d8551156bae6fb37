import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly license?: string
  readonly engines?: { readonly node?: string }
  readonly repository?: { readonly type: string; readonly url: string; readonly directory?: string }
  readonly dependencies?: Readonly<Record<string, string>>
}
const manifest = (path: string): Manifest => JSON.parse(read(path))
const own = manifest('package.json')
const packages = globSync('{libs,services}/*/package.json', { cwd: root }).map(path => ({
  folder: dirname(path),
  ...manifest(path),
}))

it('every package says what it is, by which licence, from where, and for which Node', () => {
  expect(packages.length).toBeGreaterThan(0)
  for (const { folder, name, version, description, license, engines, repository } of packages) {
    // Nobody else can publish under our scope: `npx @eddy/cli` is ours.
    expect(name).toMatch(/^@eddy\//)
    expect(version, name).toBe(own.version)
    expect(description?.length, name).toBeGreaterThan(20)
    expect(license, name).toBe('Apache-2.0')
    expect(engines?.node, name).toMatch(/^>=\d/)
    expect(repository, name).toEqual({ ...own.repository, directory: folder })
    expect(read(`${folder}/LICENSE`), name).toBe(read('LICENSE'))
  }
})

it('what is packed has a licence and a README, and none of the tests', () => {
  const command = ['pack', '--dry-run', '--json', '--ignore-scripts', '--workspaces']
  const answer = execFileSync('npm', command, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const packed: readonly { name: string; files: { path: string }[] }[] = Object.values(JSON.parse(answer))
  expect(packed.map(({ name }) => name).toSorted()).toEqual(packages.map(({ name }) => name).toSorted())
  for (const { name, files } of packed) {
    const paths = files.map(({ path }) => path)
    expect(paths, name).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
    const tests = paths.filter(path => /\.(test|fixture)\.|(^|\/)testing(\.|\/)|^test\//.test(path))
    // The harness for adapters of other logs is an export of its own.
    expect(name === '@eddy/log' ? tests.filter(path => !/^(src|dist)\/testing\//.test(path)) : tests, name).toEqual([])
  }
})

it('no command that is shown fetches a package of another name', () => {
  const texts = ['README.md', ...globSync('{docs,examples,infra,services}/**/*.md', { cwd: root })]
  const fetched = texts
    .filter(path => !path.includes('node_modules'))
    .flatMap(path => [...read(path).matchAll(/(?:^|`)(?:\w+=\S+ )*npx (\S+)/gm)].map(([, what]) => what))
  expect(fetched.length).toBeGreaterThan(10)
  expect([...new Set(fetched)]).toEqual(['@eddy/cli'])
  // In a checkout, before its dependencies are installed, npx asks nobody for anything.
  expect(read('.npmrc').split('\n')).toContain('yes=false')
})
