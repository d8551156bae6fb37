import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { EventLog } from '@eddy/log'
import { freshName, freshTopic, readAll } from '@eddy/log/testing'
import { afterEach, describe, expect, onTestFailed, test } from 'vitest'
import { describeWithCluster } from '../../../test/fixtures/kafka.ts'
import { kcatConsume } from '../../../test/fixtures/kcat.ts'
import { openPlatformaticLog } from './platformatic/index.ts'

const RUNS = process.env.CI === 'true' ? 2 : Number(process.env.EDDY_RUNS ?? 3)
const PARTITIONS = 4
const fixture = fileURLToPath(new URL('./relay.fixture.ts', import.meta.url))
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const somewhere = (ms: number) => pause(Math.random() * ms)

/** Keeps a number of relay processes running: one that ends is started again. */
class Supervisor {
  readonly children = new Map<number, ChildProcess>()
  readonly errors: string[] = []
  restarts = 0
  #arguments: readonly string[]
  #stopped = false

  constructor(args: readonly string[], count: number) {
    this.#arguments = args
    for (let slot = 0; slot < count; slot++) this.#start(slot)
  }

  #start(slot: number): void {
    const child = spawn(process.execPath, ['-C', 'source', fixture, ...this.#arguments], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.children.set(slot, child)
    child.stderr.on('data', data => this.errors.push(String(data)))
    child.on('exit', () => {
      if (this.#stopped) return
      this.restarts++
      setTimeout(() => !this.#stopped && this.#start(slot), 200)
    })
  }

  any(): ChildProcess {
    return this.children.get(Math.floor(Math.random() * this.children.size))!
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const child of this.children.values())
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
  }
}

describe.each(['kafka', 'platformatic'])('%s relay', client => {
  describeWithCluster('on three brokers', { brokers: 3 }, cluster => {
    let supervisor: Supervisor | undefined
    let log: EventLog | undefined
    afterEach(async () => {
      await supervisor?.stop()
      await log?.close()
    })

    /** Relays under faults, while records keep coming; then every one must be there once, as kcat reads it. */
    async function survive(processes: number, fault: () => Promise<void>): Promise<void> {
      const source = openPlatformaticLog({ brokers: cluster().brokers })
      log = source
      const [input, output, group] = [
        await freshTopic(source, PARTITIONS),
        await freshTopic(source, PARTITIONS),
        freshName('g'),
      ]
      const relays = new Supervisor([client, cluster().brokers.join(','), input, output, group], processes)
      supervisor = relays
      onTestFailed(() => console.error(`${relays.restarts} restarts of relays\n${relays.errors.join('')}`))
      let sent = 0
      let over = false
      const producing = (async () => {
        while (!over) {
          const publications = Array.from({ length: PARTITIONS }, (_, partition) => ({
            topic: input,
            records: Array.from({ length: 10 }, (_, i) => ({
              key: null,
              value: Buffer.from(`${sent + i}`),
              partition,
            })),
          }))
          await source.publish(publications)
          sent += 10
          await pause(20)
        }
      })()
      // Something has come through before the first fault.
      while ((await source.offsets(output)).some(({ end }) => end === 0)) await pause(50)
      for (let run = 0; run < RUNS; run++) {
        await somewhere(500)
        await fault()
      }
      over = true
      await producing
      const wanted = (await readAll(source, input)).map(
        ({ partition, offset, value }) => `${partition} ${offset} ${value}`,
      )
      for (let done = 0; done < wanted.length; done = (await readAll(source, output)).length) await pause(500)
      await relays.stop()
      const seen = await kcatConsume(cluster().brokers, output)
      expect(seen.map(({ partition, key, value }) => `${partition} ${key} ${value}`)).toEqual(wanted)
    }

    test(`kill −9 of a process, ${RUNS} times`, () =>
      survive(2, async () => {
        supervisor!.any().kill('SIGKILL')
        await pause(1_000)
      }))

    test(`a zombie: stopped past its session, then continued, ${RUNS} times`, () =>
      survive(2, async () => {
        const child = supervisor!.any()
        child.kill('SIGSTOP')
        await pause(5_000)
        child.kill('SIGCONT')
        await pause(1_000)
      }))

    test(`kill and restart of a broker, ${RUNS} times`, () =>
      survive(2, async () => {
        const broker = cluster().processes[Math.floor(Math.random() * 3)]!
        await broker.kill()
        await pause(3_000)
        await broker.start()
        await pause(2_000)
      }))

    test(`processes join and leave, ${5 * RUNS} times`, () =>
      survive(1, async () => {
        for (let i = 0; i < 5; i++) {
          const args = [client, cluster().brokers.join(','), ...supervisor!.children.get(0)!.spawnargs.slice(-3)]
          const guest = spawn(process.execPath, ['-C', 'source', fixture, ...args], {
            stdio: ['ignore', 'ignore', 'pipe'],
          })
          guest.stderr.on('data', data => supervisor!.errors.push(`guest ${i}: ${data}`))
          // From the start: one that cannot go on ends by itself, as every process of Eddy does.
          const ended = once(guest, 'exit')
          await somewhere(2_500)
          guest.kill(i % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
          await ended
        }
      }))
  })
})
