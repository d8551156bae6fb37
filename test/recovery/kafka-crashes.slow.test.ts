import { afterAll, expect, it } from 'vitest'
import { temporaryFolder } from '../eddy-process.ts'
import { KafkaPipeline, SESSION_MS, type Service } from '../kafka-pipeline.ts'
import { choose, describeFaults, everyService, faults, moment, note, survive, within } from './campaign.ts'

/** Where a process dies: the failpoint and the services that pass it. */
const failpoints: readonly (readonly [string, readonly Service[]])[] = [
  ['taken', ['ingest', 'em-worker', 'em-updater', 'scoring']],
  ['before-publish', ['ingest', 'em-worker', 'em-updater', 'scoring']],
  ['records-sent', ['ingest', 'em-updater', 'scoring']],
  ['position-sent', ['ingest', 'em-updater', 'scoring']],
  ['committed', ['ingest', 'em-updater', 'scoring']],
  ['after-publish', ['ingest', 'em-worker', 'em-updater', 'scoring']],
]

const kills = faults(200, 10)
const passages = faults(20, 2)
const deaths = passages * failpoints.length
const zombies = faults(50, 3)
const storms = faults(20, 2)
const patience = (runs: number): { timeout: number } => ({ timeout: 240_000 + runs * 180_000 })

describeFaults('services on Kafka learn and label every event once', { brokers: 1 }, cluster => {
  const pipeline = () => ({ brokers: cluster().brokers })

  it(`when processes are killed at random, ${kills} times`, patience(kills), () =>
    survive({
      name: 'kill',
      runs: kills,
      pipeline: pipeline(),
      loadMs: 1_000,
      async fault(running, next) {
        await moment(1_200, next)
        const service = choose([...new Set(everyService)], next)
        await choose(running.running(service), next)?.kill()
        return service
      },
    }),
  )

  it(`when one dies at each of ${failpoints.length} failpoints, ${passages} times`, patience(deaths), () =>
    survive({
      name: 'failpoint',
      runs: deaths,
      pipeline: pipeline(),
      services: [...new Set(everyService)],
      loadMs: 1_000,
      async fault(running, next, run) {
        const [name, services] = failpoints[run % failpoints.length]!
        const service = choose(services, next)
        for (const process of running.running(service)) {
          await process.stop('SIGTERM')
          running.dismiss(process)
        }
        const passage = name === 'taken' ? 1 : 1 + Math.floor(next() * 3)
        const victim = running.launch(service, { EDDY_FAILPOINT: `${name}:${passage}` })
        expect(await within('the way to the failpoint', victim.exit, 60_000)).toBe(128 + 9)
        return `${service} ${name}:${passage}`
      },
    }),
  )

  it(`when one stops for longer than its session, and goes on as a zombie, ${zombies} times`, patience(zombies), () =>
    survive({
      name: 'zombie',
      runs: zombies,
      pipeline: pipeline(),
      loadMs: SESSION_MS + 2_000,
      async fault(running, next) {
        await moment(1_000, next)
        const service = choose([...new Set(everyService)], next)
        const zombie = choose(running.running(service), next)
        zombie?.signal('SIGSTOP')
        await new Promise(resolve => setTimeout(resolve, SESSION_MS + 500 + next() * 1_000))
        zombie?.signal('SIGCONT')
        return service
      },
    }),
  )

  it(`when twenty processes join and leave, ${storms} times`, patience(storms), () =>
    survive({
      name: 'storm',
      runs: storms,
      pipeline: pipeline(),
      services: [...new Set(everyService)],
      loadMs: 8_000,
      async fault(running, next) {
        const guests = Array.from({ length: 10 }, async () => {
          await moment(5_000, next)
          const guest = running.launch(choose(everyService, next))
          await moment(4_000, next)
          running.dismiss(guest)
          if (next() < 0.5) await guest.kill()
          else await guest.stop('SIGTERM')
        })
        await Promise.all(guests)
        return '10 joined and left'
      },
    }),
  )
})

describeFaults('one worker and one updater on Kafka', { brokers: 1 }, cluster => {
  const folder = temporaryFolder()
  const started: KafkaPipeline[] = []
  const start = (options: ConstructorParameters<typeof KafkaPipeline>[0]): KafkaPipeline => {
    const pipeline = new KafkaPipeline(options)
    started.push(pipeline)
    return pipeline
  }
  afterAll(async () => {
    await Promise.all(started.map(pipeline => pipeline.kill()))
    folder.remove()
  })

  it.each(['kafkajs', 'platformatic'] as const)(
    'end in the same bytes after kills as without: %s',
    patience(1),
    async client => {
      // Whole mini-batches, so that none is ever cut by time, in one partition, so that they have one order.
      const [warmUpEvents, batches] = [1_000, 80]
      const options = {
        brokers: cluster().brokers,
        folder: folder.path,
        client,
        partitions: 1,
        warmUpEvents,
        maxWaitMs: 60_000,
      }
      const services: readonly Service[] = ['em-worker', 'em-updater', 'scoring']
      const uninterrupted = start(options)
      await uninterrupted.create()
      await Promise.all((['ingest', ...services] as const).map(service => uninterrupted.start(service)))
      await uninterrupted.publish(warmUpEvents + batches * 256, 0)
      await uninterrupted.verify(await uninterrupted.settled())
      const identity = await uninterrupted.identity()
      await uninterrupted.stop()

      const interrupted = start({ ...options, features: uninterrupted })
      await interrupted.create()
      // Each service dies once for certain, however fast the machine is, and at random besides.
      const victims = services.map(service =>
        interrupted.launch(service, { EDDY_FAILPOINT: `${choose(['taken', 'before-publish'], Math.random)}:1` }),
      )
      let killed = 0
      const killing = (async () => {
        while (killed < 10) {
          await moment(2_000, Math.random)
          if (interrupted.complete) break
          if (await choose(interrupted.running(), Math.random)?.kill()) killed++
        }
      })()
      const snapshot = await interrupted.settled()
      await killing
      await interrupted.verify(snapshot)
      for (const victim of victims) expect(victim.running).toBe(false)
      expect(await interrupted.identity()).toBe(identity)
      note(`same bytes ${client}: ok after ${victims.length + killed} kills, ${identity}`)
    },
  )
})
