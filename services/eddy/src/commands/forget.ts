import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Erasure, Erasures } from '@eddy/ingest'
import { counted, createLogger, HttpError } from '@eddy/runtime'
import { customerIds, knownFeatures, openLog } from '@eddy/settings'
import { Command } from 'commander'
import { ask, type Credentials } from '../command-line/ask.ts'
import { UsageError } from '../command-line/exit-code.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { type ClientFlags, credentialsOf, withClientOptions } from './client-options.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface ForgetFlags extends LogFlags, ClientFlags {
  readonly url?: string
  readonly fromFile?: string
  readonly wait: boolean
}

/** How often it is asked how far an erasure is, milliseconds. */
const LOOK_MS = 100

/** `eddy forget CUSTOMER…`: erases customers. */
export function forgetCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('forget')
    .description(
      'Erase customers from events, features, labels and dead letters; docs/erasure.md says what a model keeps.',
    )
    .argument('[customers...]', 'ids, as producers send them')
    .option('--from-file <path>', 'ids, one a line')
    .option('--url <url>', 'ask the running `eddy up` there')
    .option('--no-wait', 'with --url: print the id of the erasure and end; GET /v1/erasures/ID tells how far it is')
    .option('--json', 'what is printed: one JSON object with customers, erasure and, unless --no-wait, forgotten')
    .action((customers: string[], flags: ForgetFlags) => run(customers, flags, terminal))
  return withExamples(withClientOptions(withLogOptions(command)), [
    ['eddy forget c42 c43', 'while nothing else runs on the log'],
    ['eddy forget --from-file ids.txt --url http://127.0.0.1:7700', 'while `eddy up` runs'],
    ['eddy forget c42 --url https://eddy:7700 --ca ca.pem --token-file steward', 'with a token that may operate'],
  ])
}

async function run(named: readonly string[], flags: ForgetFlags, terminal: Terminal): Promise<void> {
  const customers = [...named, ...(flags.fromFile === undefined ? [] : linesOf(flags.fromFile))]
  if (customers.length === 0)
    throw new UsageError('customers: expected at least one id, got none. Name it, or use --from-file.')
  if (!flags.wait && flags.url === undefined)
    throw new UsageError('--no-wait: expected --url as well, got none. Without a running `eddy up` it is done here.')
  const configuration = configurationOf(flags, terminal)
  const { url } = flags
  const credentials = credentialsOf(flags, url === undefined ? [] : [url], configuration.http.token)
  const { id, erased } =
    url === undefined
      ? await locally(customers, configuration, terminal)
      : await remotely(customers, url, flags.wait, credentials, terminal)
  const answer = { customers, erasure: id, ...(flags.wait && { forgotten: erased }) }
  await print(terminal, `${JSON.stringify(answer)}\n`)
}

const linesOf = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter(line => line !== '')

async function locally(
  customers: readonly string[],
  configuration: ReturnType<typeof configurationOf>,
  terminal: Terminal,
): Promise<Erasure> {
  const log = await openLog(configuration)
  const ids = customerIds(configuration)
  const features = knownFeatures(configuration)
  const logger = createLogger(configuration.logging.level)
  const erasures = new Erasures({ log, configuration, features, logger, now: Date.now, newId: randomUUID })
  try {
    await erasures.resume()
    const by = `the command line, user ${process.getuid?.() ?? 'unknown'}`
    const { id } = await erasures.ask(
      customers.map(customer => ids?.(customer) ?? customer),
      by,
    )
    return await untilDone(async () => (await erasures.find(id))!, terminal)
  } finally {
    erasures.stop()
    await log.close()
  }
}

async function remotely(
  customers: readonly string[],
  url: string,
  wait: boolean,
  credentials: Credentials,
  terminal: Terminal,
): Promise<Erasure> {
  const question = { method: 'POST', path: '/v1/erasures', body: { customers } }
  const erasure = answered(url, 202, await ask(url, question, credentials))
  if (!wait) return erasure
  const path = `/v1/erasures/${erasure.id}`
  return untilDone(async () => answered(url, 200, await ask(url, { path }, credentials)), terminal)
}

/** Says how far it is whenever that has changed. */
async function untilDone(look: () => Promise<Erasure>, terminal: Terminal): Promise<Erasure> {
  for (let said = ''; ; await delay(LOOK_MS)) {
    const erasure = await look()
    if (erasure.state === 'done') return erasure
    const text = progressOf(erasure)
    if (text !== said) note(terminal, text)
    said = text
  }
}

function progressOf({ state, erased, error }: Erasure): string {
  if (error !== undefined) return `Waiting, since it failed: ${error}`
  const topics = Object.entries(erased).map(([topic, records]) => `${topic} ${records}`)
  if (state === 'waiting') return 'Waiting for the erasure before.'
  const records = Object.values(erased).reduce((sum, each) => sum + each, 0)
  return `Erasing: ${counted(records, 'record')}${topics.length > 0 ? ` (${topics.join(', ')})` : ''}`
}

function answered(
  url: string,
  expected: number,
  { status, body }: { readonly status: number; readonly body: string },
): Erasure {
  const answer = JSON.parse(body) as Erasure & { readonly detail?: string }
  if (status === expected) return answer
  throw new HttpError(
    'REFUSED',
    `${url}: expected the customers to be erased, got ${status}: ${answer.error ?? answer.detail}`,
  )
}
