import { setTimeout as delay } from 'node:timers/promises'
import { shutdownSignal } from '@eddy/runtime'
import Table from 'cli-table3'
import { Command } from 'commander'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { parseMetrics, type Sample, view } from './top-view.ts'

interface TopFlags extends LogFlags {
  readonly url: string
  readonly interval: string
  readonly once?: true
}

/** `eddy top`: what a running Eddy does, live. */
export function topCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('top')
    .description('Show live what a running Eddy does: rates, lag, latency, model and segments.')
    .option('--url <url>', 'where it listens', 'http://127.0.0.1:7700')
    .option('--interval <seconds>', 'between two looks', '2')
    .option('--once', 'print one view and end (also where stdout is no terminal)')
    .action((flags: TopFlags) => top(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy top', 'watch the Eddy on this machine; Ctrl-C ends'],
    ['eddy top --once --interval 10', 'averages over ten seconds, for a script or a report'],
  ])
}

async function top(flags: TopFlags, terminal: Terminal): Promise<void> {
  const { token } = configurationOf(flags, terminal).http
  const seconds = Math.max(0.2, Number(flags.interval) || 2)
  const live = flags.once !== true && (terminal.stdout as { isTTY?: boolean }).isTTY === true
  const shutdown = shutdownSignal()
  try {
    let before = await scrape(flags.url, token)
    let since = performance.now()
    do {
      await delay(1000 * seconds, undefined, { signal: shutdown.signal }).catch(() => {})
      if (shutdown.signal.aborted) return
      const now = await scrape(flags.url, token)
      const elapsed = (performance.now() - since) / 1000
      const { lines, stages, segments } = view(before, now, elapsed, Date.now() / 1000)
      const screen = [
        ...lines,
        table(['stage', 'records/s', 'lag'], stages),
        table(['segment', 'share', 'drift σ'], segments),
      ]
      await print(terminal, `${live ? '\u001b[2J\u001b[H' : ''}${screen.join('\n')}\n`)
      before = now
      since = performance.now()
    } while (live)
  } finally {
    shutdown.dispose()
  }
}

function table(head: string[], rows: readonly (readonly string[])[]): string {
  const plain = new Table({ head, style: { head: [], border: [] }, colAligns: ['left', 'right', 'right'] })
  for (const row of rows) plain.push([...row])
  return plain.toString()
}

async function scrape(url: string, token: string | undefined): Promise<Sample[]> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/metrics`, { headers }).catch((error: Error) => {
    throw new Error(
      `${url}: expected a running Eddy, got ${(error.cause as Error | undefined)?.message ?? error.message}. Start it with \`eddy up\`, or name another with --url.`,
    )
  })
  if (!response.ok)
    throw new Error(`${url}: expected metrics, got ${response.status}. Set EDDY_HTTP_TOKEN where it asks for a token.`)
  return parseMetrics(await response.text())
}
