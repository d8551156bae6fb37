import { type Forgotten, forget } from '@eddy/ingest'
import { createLogger, HttpError } from '@eddy/runtime'
import { customerIds, knownFeatures, openLog } from '@eddy/settings'
import { Command } from 'commander'
import { ask } from '../command-line/ask.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface ForgetFlags extends LogFlags {
  readonly url?: string
}

/** `eddy forget CUSTOMER`: erases a customer. */
export function forgetCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('forget')
    .description(
      'Erase a customer from events, features, labels and dead letters; docs/erasure.md says what a model keeps.',
    )
    .argument('<customer>', 'id, as producers send it')
    .option('--url <url>', 'ask the running `eddy up` there (its token from EDDY_HTTP_TOKEN or EDDY_HTTP_TOKEN_FILE)')
    .option('--json', 'what is printed: one JSON object with customer, forgotten')
    .action((customer: string, flags: ForgetFlags) => run(customer, flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy forget c42', 'while nothing else runs on the log'],
    ['eddy forget c42 --url http://127.0.0.1:7700', 'while `eddy up` runs'],
  ])
}

async function run(customer: string, flags: ForgetFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const forgotten =
    flags.url === undefined
      ? await locally(customer, configuration)
      : await remotely(customer, flags.url, configuration.http.token)
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

async function remotely(customer: string, url: string, token: string | undefined): Promise<Forgotten> {
  const path = `/v1/customers/${encodeURIComponent(customer)}`
  const { status, body } = await ask(url, { method: 'DELETE', path, token })
  const answer = JSON.parse(body) as Forgotten & { readonly error?: string; readonly detail?: string }
  if (status !== 200)
    throw new HttpError(
      'REFUSED',
      `${url}: expected the customer to be erased, got ${status}: ${answer.error ?? answer.detail}`,
    )
  return answer
}
