import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '../services/eddy/bin/eddy.cjs')

/** A running `eddy`, as a user starts it. */
export class EddyProcess {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #exit: Promise<number | NodeJS.Signals>
  #heard = (): void => {}

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [bin, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own, so that kill −9 reaches all of it at once.
      detached: true,
      env: { ...process.env, EDDY_LOGGING_LEVEL: 'warn', ...environment },
    })
    this.child.stdout?.on('data', data => {
      this.stdout += data
    })
    this.child.stderr?.on('data', data => {
      this.stderr += data
      this.#heard()
    })
    this.#exit = once(this.child, 'close').then(([code, signal]) => code ?? signal)
  }

  /** Exit code, or the signal that ended it. */
  get exit(): Promise<number | NodeJS.Signals> {
    return this.#exit
  }

  /** Resolves with the match once stderr has it; rejects when the process ends without. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stderr)
      if (match !== null) return match
      const heard = new Promise<'heard'>(resolve => {
        this.#heard = () => resolve('heard')
      })
      if ((await Promise.race([heard, this.#exit])) !== 'heard' && pattern.exec(this.stderr) === null) {
        throw new Error(`expected ${pattern} on stderr, got:\n${this.stderr}`)
      }
    }
  }

  /** Base URL of its HTTP side, once it is up. */
  async url(): Promise<string> {
    return (await this.said(/is up: (https?:\S+)/))[1] as string
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Signals the whole process group. */
  signal(name: NodeJS.Signals): void {
    if (this.running) process.kill(-(this.child.pid as number), name)
  }

  /** kill −9 of the whole process group. Tells whether it was still running. */
  async kill(): Promise<boolean> {
    if (!this.running) return false
    this.signal('SIGKILL')
    return (await this.#exit) === 'SIGKILL'
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | NodeJS.Signals> {
    this.child.kill(signal)
    return this.#exit
  }
}

/** Arguments of an `eddy up` that replays a file, says its totals and ends. */
export const replayArguments = ({
  config,
  input,
  data,
}: Readonly<Record<'config' | 'input' | 'data', string>>): string[] =>
  `up --exit-when-drained --json --port 0`.split(' ').concat('--config', config, '--replay', input, '--data-dir', data)

/** Runs `eddy` to its end. */
export async function eddy(
  ...args: readonly string[]
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const running = new EddyProcess(args)
  const code = await running.exit
  return { code, stdout: running.stdout, stderr: running.stderr }
}

/** A folder that goes away with the test. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'eddy-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
