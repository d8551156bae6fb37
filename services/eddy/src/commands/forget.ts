import { type Forgotten, forget } from '@eddy/ingest'
import { createLogger, HttpError } from '@eddy/runtime'
import { customerIds, knownFeatures, openLog } from '@eddy/settings'
import { Command } from 'commander'
import { ask, type Credentials } from '../command-line/ask.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { type ClientFlags, credentialsOf, withClientOptions } from './client-options.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface ForgetFlags extends LogFlags, ClientFlags {
  readonly url?: string
}

/** `eddy forget CUSTOMER`: erases a customer. */
export function forgetCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('forget')
    .description(
      'Erase a customer from events, features, labels and dead letters; docs/erasure.md says what a model keeps.',
    )
    .argument('<customer>', 'id, as producers send it')
    .option('--url <url>', 'ask the running `eddy up` there')
    .option('--json', 'what is printed: one JSON object with customer, forgotten')
    .action((customer: string, flags: ForgetFlags) => run(customer, flags, terminal))
  return withExamples(withClientOptions(withLogOptions(command)), [
    ['eddy forget c42', 'while nothing else runs on the log'],
    ['eddy forget c42 --url http://127.0.0.1:7700', 'while `eddy up` runs'],
    ['eddy forget c42 --url https://eddy:7700 --ca ca.pem --token-file steward', 'with a token that may operate'],
  ])
}

async function run(customer: string, flags: ForgetFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const { url } = flags
  const credentials = credentialsOf(flags, url === undefined ? [] : [url], configuration.http.token)
  const forgotten =
    url === undefined ? await locally(customer, configuration) : await remotely(customer, url, credentials)
  await print(terminal, `${JSON.stringify({ customer, forgotten })}\n`)
}

async function locally(customer: string, configuration: ReturnType<typeof configurationOf>): Promise<Forgotten> {
  const log = await openLog(configuration)
  try {
    return await forget(customerIds(configuration)?.(customer) ?? customer, {
      log,
      configuration,
      features: knownFeatures(configuration),
      by: `the command line, user ${process.getuid?.() ?? 'unknown'}`,
      logger: createLogger(configuration.logging.level),
    })
  } finally {
    await log.close()
  }
}

async function remotely(customer: string, url: string, credentials: Credentials): Promise<Forgotten> {
  const path = `/v1/customers/${encodeURIComponent(customer)}`
  const { status, body } = await ask(url, { method: 'DELETE', path }, credentials)
  const answer = JSON.parse(body) as Forgotten & { readonly error?: string; readonly detail?: string }
  if (status !== 200)
    throw new HttpError(
      'REFUSED',
      `${url}: expected the customer to be erased, got ${status}: ${answer.error ?? answer.detail}`,
    )
  return answer
}
