import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { EddyProcess, temporaryFolder } from '../eddy-process.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const folder = temporaryFolder()
const bin = join(import.meta.dirname, '../../services/eddy/bin/eddy.cjs')
const hasTerminal = spawnSync('script', ['--version']).status === 0
if (!hasTerminal && process.env.CI === 'true') throw new Error('expected `script` (util-linux) in CI, found none')
if (!hasTerminal)
  console.warn('eddy top is not tried: `script` (util-linux), which makes a terminal, is not installed.')

const config = join(folder.path, 'eddy.yaml')
writeFileSync(config, 'model: { components: 3, warmUp: { events: 1000 } }\nfeatures: [{ name: x }, { name: y }]\n')
const running = new EddyProcess(['up', '--config', config, '--data-dir', join(folder.path, 'data'), '--port', '0'])
afterAll(async () => {
  await running.stop('SIGTERM')
  folder.remove()
})

/** What is on a terminal after all that was written to it: a screen that is drawn over line by line. */
const lastScreen = (written: string): string[] =>
  (written.split('\u001b[H').at(-1) as string)
    .split('\u001b[J')[0]!
    .split('\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is on a terminal
    .map(line => line.replace(/\u001b\[K|\r/g, ''))

it.runIf(hasTerminal)(
  'eddy top, on a terminal: draws over itself, fits, and leaves the terminal as it was',
  async () => {
    const url = await running.url()
    await postEvents(url, syntheticEvents(3000))
    const command = `stty rows 12 cols 60; exec ${process.execPath} ${bin} top --url ${url} --interval 0.5`
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let written = ''
    const shows = (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (data?: Buffer): void => {
          written += data?.toString() ?? ''
          if (pattern.test(lastScreen(written).join('\n'))) resolve()
        }
        terminal.stdout.on('data', look)
        terminal.once('exit', () => reject(new Error(`expected ${pattern} on the screen, got ${written}`)))
      })
    await shows(/3,000 events learned[\s\S]*lines more/)
    const screen = lastScreen(written)
    expect(screen.length).toBe(12)
    expect(Math.max(...screen.map(line => line.length))).toBeLessThanOrEqual(60)
    expect(screen.join('\n')).toMatch(/stage +records\/s +lag\n +ingest +\d+ +0\n/)
    expect(written.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true)
    const ended = new Promise(resolve => terminal.once('exit', resolve))
    terminal.stdin.write('\u0003')
    expect(await ended).toBe(0)
    expect(written.trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
  },
)
