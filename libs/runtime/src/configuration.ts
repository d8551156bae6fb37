import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { CENSOR, isSecret } from './secrets.ts'

/** Every mistake of a configuration at once, each with its path and source. Exit code 78. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `configuration: ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}\n${problems.map(p => `  - ${p}`).join('\n')}`,
    )
    this.problems = problems
  }
}

export interface ConfigurationSources {
  /** Values of command-line flags by path, e.g. `{'http.port': 8080}`; undefined ones are absent. */
  readonly flags?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** A YAML (or JSON) file. */
  readonly file?: string
  /** Values by path that hold where none of the others says anything, before the defaults. */
  readonly known?: Readonly<Record<string, unknown>> | undefined
  /** Values by path that follow from what the others say, where they do not say these too. */
  readonly implied?: (value: (path: string) => unknown) => Readonly<Record<string, unknown>>
}

/** Variables that no setting is named after: of the program, and of its tests and benchmarks, which start it. */
const notSettings = [
  ...['EDDY_DEBUG', 'EDDY_FAILPOINT'],
  ...[
    'EDDY_CASES',
    'EDDY_CLIENTS',
    'EDDY_COPIES',
    'EDDY_FAULT_LOG',
    'EDDY_FUZZ',
    'EDDY_RUNS',
    'EDDY_SEED',
    'EDDY_SLOW',
  ],
  ...['EDDY_IMAGE', 'EDDY_KAFKA_IMAGE'],
]

type Tree = { [key: string]: unknown }

interface Leaf {
  readonly path: string
  readonly variable: string
  readonly type: string | undefined
}

/**
 * Reads one configuration: flag > environment > file > what is known otherwise > default.
 * Environment variables are named after the path: `http.port` is `EDDY_HTTP_PORT`, `kafka.clientId` is `KAFKA_CLIENT_ID`;
 * with `_FILE` appended they name a file that holds the value.
 * @throws {ConfigurationError} with all problems
 */
export function loadConfiguration<T extends z.ZodType>(schema: T, sources: ConfigurationSources): z.output<T> {
  const problems: string[] = []
  const tree: Tree = {}
  const origin = new Map<string, string>()
  if (sources.file !== undefined) Object.assign(tree, readFile(sources.file, problems))
  for (const [path, value] of Object.entries(sources.known ?? {})) if (!says(tree, path)) assign(tree, path, value)
  const known = leaves(schema)
  const names = new Set([...notSettings, ...known.flatMap(({ variable }) => [variable, `${variable}_FILE`])])
  for (const name of Object.keys(sources.environment ?? {}))
    if (name.startsWith('EDDY_') && !names.has(name))
      problems.push(`${name}: expected the name of a setting, got one that is none; see \`eddy validate\` or unset it`)
  for (const leaf of known) {
    const text = fromEnvironment(leaf.variable, sources.environment ?? {}, problems)
    if (text === undefined) continue
    assign(tree, leaf.path, coerce(text, leaf.type))
    origin.set(leaf.path, leaf.variable)
  }
  for (const [path, value] of Object.entries(sources.flags ?? {})) {
    if (value === undefined) continue
    assign(tree, path, value)
    origin.set(path, 'command line')
  }
  for (const [path, value] of Object.entries(sources.implied?.(path => valueAt(tree, path)) ?? {}))
    if (!says(tree, path)) assign(tree, path, value)
  const result = schema.safeParse(tree, { reportInput: true })
  if (!result.success) {
    for (const issue of result.error.issues) {
      const path = issue.path.join('.')
      const where = origin.get(path) ?? sources.file ?? 'configuration'
      problems.push(`${where}: ${path === '' ? '' : `${path}: `}${explain(issue)}`)
    }
  }
  if (problems.length > 0 || !result.success) throw new ConfigurationError(problems)
  return result.data
}

/** The configuration's JSON Schema, for editors and for `docs/`. */
export const jsonSchema = (schema: z.ZodType): object => z.toJSONSchema(schema, { io: 'input' })

/** Names of the environment variables a schema understands, with their paths. */
export function environmentVariables(
  schema: z.ZodType,
): readonly { readonly variable: string; readonly path: string }[] {
  return leaves(schema).map(({ variable, path }) => ({ variable, path }))
}

function explain(issue: z.core.$ZodIssue): string {
  const got = issue.input === undefined ? '' : told(issue)
  if (issue.code === 'invalid_type')
    return `expected ${issue.expected}${issue.input === undefined ? ', got nothing' : got}`
  if (issue.code === 'unrecognized_keys') return `expected a known key, got ${issue.keys.map(k => `"${k}"`).join(', ')}`
  if (issue.code === 'invalid_value') return `expected ${issue.values.map(v => JSON.stringify(v)).join(' | ')}${got}`
  if (issue.code === 'too_small') return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${got}`
  if (issue.code === 'too_big') return `expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${got}`
  return issue.message + got
}

/** What was given, as far as it may be told: no secret, and nothing that may hold one. */
function told({ code, path, input }: z.core.$ZodIssue): string {
  if (isSecret(String(path.at(-1)))) return `, got ${CENSOR}`
  if (typeof input === 'string') return `, got ${JSON.stringify(input.replace(/\/\/[^/]*@/, `//${CENSOR}@`))}`
  if (typeof input !== 'object' || input === null) return `, got ${JSON.stringify(input)}`
  // What is wrong with several values together is said of the whole.
  return code === 'custom' ? '' : `, got ${Array.isArray(input) ? 'a list' : 'a mapping'}`
}

function readFile(path: string, problems: string[]): Tree {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    problems.push(
      `${path}: expected a readable YAML file, got ${(error as NodeJS.ErrnoException).code}; check the path after --config`,
    )
    return {}
  }
  const document = parseDocument(text)
  if (document.errors.length > 0) {
    problems.push(...document.errors.map(error => `${path}: ${error.message.split('\n')[0]}`))
    return {}
  }
  const value: unknown = document.toJS() ?? {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Tree
  problems.push(`${path}: expected a mapping at the top, got ${Array.isArray(value) ? 'a list' : typeof value}`)
  return {}
}

function fromEnvironment(
  variable: string,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const file = environment[`${variable}_FILE`]
  if (file === undefined) return environment[variable]
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    problems.push(
      `${variable}_FILE: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${file}`,
    )
    return undefined
  }
}

function coerce(text: string, type: string | undefined): unknown {
  if (type === 'number' || type === 'integer')
    return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
  if (type === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  if (type === 'array') return text.split(',').map(part => part.trim())
  return text
}

function assign(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop() as string
  let node = tree
  for (const key of keys) {
    if (typeof node[key] !== 'object' || node[key] === null) node[key] = {}
    node = node[key] as Tree
  }
  node[last] = value
}

const says = (tree: Tree, path: string): boolean => valueAt(tree, path) !== undefined

function valueAt(tree: Tree, path: string): unknown {
  let node: unknown = tree
  for (const key of path.split('.')) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined
    node = (node as Tree)[key]
  }
  return node
}

interface SchemaNode {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

function leaves(schema: z.ZodType): Leaf[] {
  const found: Leaf[] = []
  const walk = (node: SchemaNode, path: string[]): void => {
    const object = node.properties !== undefined ? node : node.anyOf?.find(option => option.properties !== undefined)
    if (object?.properties !== undefined) {
      for (const [key, child] of Object.entries(object.properties)) walk(child, [...path, key])
      return
    }
    const listOfObjects = node.type === 'array' && node.items?.properties !== undefined
    if (path.length > 0 && !listOfObjects)
      found.push({ path: path.join('.'), variable: variableName(path), type: node.type })
  }
  walk(jsonSchema(schema) as SchemaNode, [])
  return found
}

function variableName(path: readonly string[]): string {
  const snake = path.map(key => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_')
  return path[0] === 'kafka' ? snake : `EDDY_${snake}`
}
