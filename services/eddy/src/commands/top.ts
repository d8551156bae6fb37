import { setTimeout as delay } from 'node:timers/promises'
import { HttpError, shutdownSignal } from '@eddy/runtime'
import { Command } from 'commander'
import { ask, type Credentials } from '../command-line/ask.ts'
import { table } from '../command-line/table.ts'
import { draw, oneLine, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { type ClientFlags, credentialsOf, withClientOptions } from './client-options.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { activity, parseMetrics, type Sample, type View, view } from './top-view.ts'

interface TopFlags extends LogFlags, ClientFlags {
  readonly url: readonly string[]
  readonly interval: string
  readonly once?: true
  readonly json?: true
}

/** `eddy top`: what a running Eddy does, live. */
export function topCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('top')
    .description('Watch a running Eddy live: rates, lag, latency, model and segments.')
    .option('--url <url...>', 'where it listens; give several for services in separate processes', [
      'http://127.0.0.1:7700',
    ])
    .option('--interval <seconds>', 'seconds between updates', '2')
    .option('--once', 'print one view and end (as it does when stdout is not a terminal)')
    .option(
      '--json',
      'print one view as a JSON object and end: model, snapshot, rates, stages, segments; null where unknown',
    )
    .action((flags: TopFlags) => top(flags, terminal))
  return withExamples(withClientOptions(withLogOptions(command)), [
    ['eddy top', 'watch the Eddy on this machine; Ctrl-C ends'],
    ['eddy top --url http://scoring:7700 http://em-updater:7700', 'separate services, seen together'],
    ['eddy top --once --interval 10', 'averages over ten seconds, for a script or a report'],
  ])
}

async function top(flags: TopFlags, terminal: Terminal): Promise<void> {
  const credentials = credentialsOf(flags, flags.url, configurationOf(flags, terminal).http.token)
  const seconds = Math.max(0.2, Number(flags.interval) || 2)
  const stdout = terminal.stdout as NodeJS.WritableStream & Partial<NodeJS.WriteStream>
  const live = flags.once !== true && flags.json !== true && stdout.isTTY === true
  const shutdown = shutdownSignal()
  try {
    let before = await scrapeAll(flags.url, credentials)
    let since = performance.now()
    if (live) await draw(terminal, `${screen.enter}${screen.frame([`${flags.url.join(', ')}: looking …`])}`)
    do {
      await delay(1000 * seconds, undefined, { signal: shutdown.signal }).catch(() => {})
      if (shutdown.signal.aborted) return
      const now = await scrapeAll(flags.url, credentials)
      const elapsed = (performance.now() - since) / 1000
      const seen = activity(before, now, elapsed, Date.now() / 1000)
      const lines = linesOf(view(seen))
      const { rows = 24, columns = 80 } = stdout
      if (live) await draw(terminal, screen.frame(fitted(lines, rows, columns)))
      else await print(terminal, `${flags.json === true ? JSON.stringify(seen) : lines.join('\n')}\n`)
      before = now
      since = performance.now()
    } while (live)
  } finally {
    if (live) await draw(terminal, screen.leave)
    shutdown.dispose()
  }
}

/** A screen of its own, so that what was on the terminal comes back; drawn over, not cleared, so that nothing flickers. */
const screen = {
  enter: '\u001b[?1049h\u001b[?25l',
  frame: (lines: readonly string[]): string => `\u001b[H${lines.map(line => `${line}\u001b[K`).join('\n')}\u001b[J`,
  leave: '\u001b[?25h\u001b[?1049l',
}

function linesOf({ lines, stages, segments }: View): string[] {
  return [
    ...lines,
    '',
    table(['stage', 'records/s', 'lag'], stages),
    '',
    table(['segment', 'share', 'drift σ'], segments),
  ].flatMap(text => text.split('\n'))
}

/** Cut to the size of the terminal; the last line says what is left out. */
function fitted(lines: readonly string[], rows: number, columns: number): string[] {
  const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} lines more`]
  return shown.map(line => [...oneLine(line)].slice(0, columns).join(''))
}

async function scrapeAll(urls: readonly string[], credentials: Credentials): Promise<Sample[]> {
  return (await Promise.all(urls.map(url => scrape(url, credentials)))).flat()
}

async function scrape(url: string, credentials: Credentials): Promise<Sample[]> {
  const { status, body } = await ask(url, { path: '/metrics' }, credentials)
  if (status !== 200)
    throw new HttpError(
      'REFUSED',
      `${url}: expected metrics, got ${status}. Set EDDY_HTTP_TOKEN, or give --token-file, where it asks for a token.`,
    )
  return parseMetrics(body)
}
