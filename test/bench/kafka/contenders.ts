import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Bench, Run } from './bench.ts'
import type { RelayOptions } from './relay.ts'

export type Contender = 'kafkajs' | 'platformatic' | 'relay' | 'python'

const CLI = join(import.meta.dirname, '../../../services/eddy/bin/eddy.cjs')
/** Of a label of shape c: what the relay and the Python program write. */
const LABEL_BYTES = 117
/** Share of the events that go by before the clock starts: joining the group, compiling. */
const WARM_UP = 0.25
const POLL_MS = 20
const PATIENCE_MS = 120_000

export interface PythonPeer {
  readonly python: string
  /** JSON of the model */
  readonly model: string
}

/** A process of a contender; stopped with SIGTERM, and with SIGKILL if it does not listen. */
export class Process {
  readonly child: ChildProcess
  #stderr = ''

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, {
      stdio: ['ignore', 'ignore', process.env.TRACE ? 'inherit' : 'pipe'],
      env: { ...process.env, ...env },
    })
    this.child.stderr?.on('data', data => {
      this.#stderr = (this.#stderr + data).slice(-4_000)
    })
  }

  check(): void {
    const { exitCode, signalCode, spawnargs } = this.child
    if (exitCode !== null || signalCode !== null)
      throw new Error(`${spawnargs.join(' ')}: ended with ${exitCode ?? signalCode}\n${this.#stderr}`)
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await Promise.race([ended, setTimeout(10_000).then(() => this.child.kill('SIGKILL'))])
    await ended
  }
}

export const eddy = (service: string, { configuration }: Run): Process =>
  new Process(process.execPath, [CLI, service, '--config', configuration, '--port', '0'])

export function startContender(contender: Contender, bench: Bench, run: Run, peer: PythonPeer): Process {
  const { features, labels, scoring } = run
  if (contender === 'relay') {
    const options: RelayOptions = {
      brokers: bench.brokers,
      from: features,
      to: labels,
      group: scoring,
      partitions: bench.partitions,
      valueBytes: LABEL_BYTES,
    }
    return new Process(process.execPath, [join(import.meta.dirname, 'relay.ts'), JSON.stringify(options)])
  }
  if (contender === 'python') {
    const file = join(import.meta.dirname, 'scikit_learn.py')
    const args = [file, bench.brokers.join(','), features, labels, scoring, peer.model, `${LABEL_BYTES}`]
    // scikit-learn is quickest on one thread here: the broker needs the other core.
    return new Process(peer.python, args, { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' })
  }
  return eddy('scoring', run)
}

/** Events a second of a contender that scores everything stored in the features topic, by the positions it commits. */
export async function throughput(process_: Process, bench: Bench, run: Run, events: number): Promise<number> {
  let begun: { readonly at: number; readonly done: number } | undefined
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await setTimeout(POLL_MS)) {
    process_.check()
    const done = await bench.settled(run.features, run.scoring)
    const at = performance.now()
    if (begun === undefined && done >= WARM_UP * events) begun = { at, done }
    if (begun !== undefined && done >= events) return (1000 * (events - begun.done)) / (at - begun.at)
  }
  throw new Error(
    `expected ${events} events scored within ${PATIENCE_MS / 1000} s, got ${await bench.settled(run.features, run.scoring)}`,
  )
}
