import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

const libs = [
  '@eddy/log',
  '@eddy/log-embedded',
  '@eddy/log-kafka',
  '@eddy/messages',
  '@eddy/mixture',
  '@eddy/model',
  '@eddy/records',
  '@eddy/runtime',
  '@eddy/settings',
  '@eddy/threads',
]
const service = { may: [...libs, 'rxjs', 'fastify'] }

/** Who may import whom: data flows one way. `node:` modules are free except where `pure`. */
const table: Readonly<Record<string, { readonly may: readonly string[]; readonly pure?: true }>> = {
  'libs/mixture': { may: [], pure: true },
  'libs/messages': { may: ['@eddy/mixture', 'avsc'] },
  'libs/threads': { may: ['@eddy/mixture'] },
  'libs/log': { may: ['rxjs'] },
  'libs/log-embedded': { may: ['@eddy/log', 'rxjs'] },
  'libs/log-kafka': { may: ['@eddy/log', 'rxjs', 'kafkajs', '@platformatic/kafka', 'lz4-napi', 'kafkajs-snappy'] },
  'libs/records': { may: ['@eddy/messages', '@eddy/mixture', '@duckdb/node-api', 'csv-parse'] },
  'libs/model': { may: ['@eddy/mixture', '@eddy/messages', '@eddy/log', 'rxjs'] },
  'libs/runtime': {
    may: ['@eddy/messages', '@eddy/model', '@eddy/log', 'rxjs', 'prom-client', 'pino', 'zod', 'yaml', 'fastify'],
  },
  'libs/settings': { may: [...libs.filter(name => name !== '@eddy/threads'), 'rxjs', 'zod'] },
  // Services never import one another; `eddy` alone composes them.
  'services/ingest': service,
  'services/stepwise-em': service,
  'services/scoring': service,
  'services/eddy': {
    may: [
      ...service.may,
      ...['@eddy/ingest', '@eddy/stepwise-em', '@eddy/scoring'],
      ...['commander', 'cli-progress', 'cli-table3', 'node', '@types/cli-progress'],
    ],
  },
}
/** Clients of a broker, and the database, stay inside their adapter. */
const onlyInside: Readonly<Record<string, string>> = {
  kafkajs: 'libs/log-kafka/src/kafkajs/',
  'kafkajs-snappy': 'libs/log-kafka/src/kafkajs/',
  'lz4-napi': 'libs/log-kafka/src/kafkajs/',
  '@platformatic/kafka': 'libs/log-kafka/src/platformatic/',
  'node:sqlite': 'libs/log-embedded/src/',
}

const isTest = (file: string): boolean =>
  /(\.test\.ts$|\/testing[./]|\/conformance\/|\.bench\.ts$|\/laws\.ts$|-laws\.ts$)/.test(file)

function sources(folder: string): string[] {
  return readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.includes('assembly'))
    .map(name => `${folder}/src/${name}`)
}

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
  return [...text.matchAll(/(?:from\s+|import\s+|import\()'([^']+)'/g)].map(match => match[1] as string)
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
function declared(folder: string): string[] {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  ) as { dependencies?: object; optionalDependencies?: object }
  return Object.keys({ ...dependencies, ...optionalDependencies })
}

describe.each(Object.entries(table))('%s', (folder, { may, pure }) => {
  const files = sources(folder).filter(file => !isTest(file))

  it('imports only what the table allows and its package.json declares', () => {
    const allowed = new Set(may)
    const known = new Set(declared(folder))
    const wrong = files.flatMap(file =>
      imports(file)
        .filter(specifier => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .filter(specifier => !allowed.has(packageOf(specifier)) || !known.has(packageOf(specifier)))
        .map(specifier => `${file} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  it('declares only what the table allows', () => {
    expect(declared(folder).filter(name => !may.includes(name))).toEqual([])
  })

  it('stays inside its own folder', () => {
    const leaves = files.flatMap(file => {
      const depth = file.split('/').length - 4
      return imports(file)
        .filter(specifier => specifier.startsWith('.') && (specifier.match(/\.\.\//g) ?? []).length > depth)
        .map(specifier => `${file} imports ${specifier}`)
    })
    expect(leaves).toEqual([])
  })

  it('keeps clients of a broker inside their adapter', () => {
    const wrong = files.flatMap(file =>
      imports(file)
        .filter(specifier => !file.startsWith(onlyInside[packageOf(specifier)] ?? ''))
        .map(specifier => `${file} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  if (pure) {
    it('does no input or output', () => {
      expect(
        files.flatMap(file =>
          imports(file)
            .filter(specifier => specifier.startsWith('node:'))
            .map(specifier => `${file} imports ${specifier}`),
        ),
      ).toEqual([])
    })
  }
})

it('every dependency has an exact version', () => {
  const packages = ['.', ...Object.keys(table)].map(folder =>
    JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
  )
  const loose = packages.flatMap(({ name, dependencies = {}, devDependencies = {} }) =>
    Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version as string))
      .map(([dependency, version]) => `${name}: ${dependency} ${version}`),
  )
  expect(loose).toEqual([])
})

/** Folders of a package, in the order in which they build on one another: each may import those before it. `.` is what lies beside them. */
const folders: Readonly<Record<string, readonly string[]>> = {
  'libs/mixture': ['numerics', 'families', 'em', 'kernel', 'treatment', 'model', 'start', '.', 'decide'],
}
/** The file that a relative import names. */
const target = (file: string, specifier: string): string => relative(root, join(root, dirname(file), specifier))

describe.each(Object.keys(table))('inside %s', folder => {
  const files = sources(folder).filter(file => !isTest(file))
  const own = new Map(
    files.map(file => [
      file,
      imports(file)
        .filter(specifier => specifier.startsWith('.'))
        .map(specifier => target(file, specifier)),
    ]),
  )

  it('no file imports itself by way of others', () => {
    expect(cycles(own)).toEqual([])
  })

  const order = folders[folder]
  if (order !== undefined) {
    const place = (file: string): string =>
      file.slice(`${folder}/src/`.length).split('/').at(-2) === undefined
        ? '.'
        : file.slice(`${folder}/src/`.length).split('/')[0]!

    it('has the folders that the table names, and no others', () => {
      expect([...new Set(files.map(place))].toSorted()).toEqual(order.toSorted())
    })

    it('folders import those before them alone', () => {
      const wrong = [...own]
        .filter(([file]) => !file.endsWith('/src/index.ts'))
        .flatMap(([file, targets]) =>
          targets
            .filter(other => order.indexOf(place(other)) > order.indexOf(place(file)))
            .map(other => `${file} imports ${other}`),
        )
      expect(wrong).toEqual([])
    })
  }
})

/** One cycle for each file that closes one, as `a → b → a`. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push([...path.slice(at), file].join(' → '))
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return found
}
