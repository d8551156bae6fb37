import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { EddyProcess, temporaryFolder } from '../eddy-process.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
const started: EddyProcess[] = []
afterEach(async () => {
  for (const running of started.splice(0)) await running.kill()
})
afterAll(() => folder.remove())

const path = (name: string): string => join(folder.path, name)
const config = path('eddy.yaml')
writeFileSync(
  config,
  `model: { name: test, components: 3, batchSize: 256, maxWaitMs: 100, warmUp: { events: 1000 } }
features: [{ name: x }, { name: y }]
`,
)
const input = path('events.ndjson')
writeFileSync(input, syntheticEvents(200_000))

let runs = 0
const start = (...args: string[]): EddyProcess => {
  const running = new EddyProcess(
    ['up', '--config', config, '--data-dir', path(`data-${runs++}`), '--port', '0', '--exit-when-drained', ...args],
    { EDDY_LOGGING_LEVEL: 'info' },
  )
  started.push(running)
  return running
}

interface Moment {
  readonly args: readonly string[]
  /** resolves when the moment has come */
  readonly comes: (running: EddyProcess) => Promise<unknown>
}

const feed = (running: EddyProcess, events: number): void => void running.child.stdin?.write(syntheticEvents(events))
/** Waits until a metric says so. */
const metric = async (running: EddyProcess, line: RegExp): Promise<void> => {
  const url = await running.url()
  while (!line.test(await (await fetch(`${url}/metrics`)).text())) if (!running.running) throw new Error(running.stderr)
}

const moments: Readonly<Record<string, Moment>> = {
  'when it has read its configuration': { args: ['--replay', input], comes: running => running.said(/"kernel"/) },
  'when it has found no snapshot': { args: ['--replay', input], comes: running => running.said(/warming up/) },
  'when it is up, and the replay begins': { args: ['--replay', input], comes: running => running.url() },
  'when standard input says nothing': { args: ['--replay', '-'], comes: running => running.url() },
  'in the warm-up': {
    args: ['--replay', '-'],
    comes: running => {
      feed(running, 600)
      return metric(running, /^eddy_records_processed_total\{stage="ingest",partition="0"\} 600$/m)
    },
  },
  'in a replay, when a model is there': {
    args: ['--replay', '-'],
    comes: running => {
      feed(running, 3000)
      return metric(running, /^eddy_records_processed_total\{stage="scoring",partition="0"\} [1-9]/m)
    },
  },
  'when a file is replayed but not yet drained': {
    args: ['--replay', input],
    comes: running => running.said(/Replayed 200,000/),
  },
}

/** What it says from `before` on, but for structured logs that are no errors, and for what was on its way before the signal came. */
const saidAfter = (running: EddyProcess, before: number): string[] => {
  const lines = running.stderr.slice(before).split('\n')
  const said = lines.filter(line => line !== '' && !line.startsWith('{"level":30'))
  const late = said.findIndex(line => !/^(Eddy is up:|Replayed )/.test(line))
  return late < 0 ? [] : said.slice(late)
}

describe.each(Object.entries(moments))('eddy up, told to end %s', (_, { args, comes }) => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s: says so in one line, exit code %i', async (signal, code) => {
    const running = start(...args)
    await comes(running)
    const before = running.stderr.length
    const exit = await running.stop(signal)
    // A drain may have ended before the signal came: then all of it is there.
    if (exit === 0) return expect(running.stderr).toContain('200,000 events, 200,000 labels')
    expect(exit).toBe(code)
    expect(saidAfter(running, before)).toEqual([expect.stringMatching(/^(Stopping: |eddy: ended by )/)])
  })
})
