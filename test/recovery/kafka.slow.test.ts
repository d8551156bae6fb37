import { random } from '@eddy/mixture'
import { afterAll, afterEach, expect, it } from 'vitest'
import { temporaryFolder } from '../eddy-process.ts'
import { describeWithCluster } from '../fixtures/kafka.ts'
import { kcatAvailable } from '../fixtures/kcat.ts'
import { KafkaPipeline, type Service } from '../kafka-pipeline.ts'

const runs = Number(process.env.EDDY_RUNS ?? 200)
const next = random(Number(process.env.EDDY_SEED ?? 1))
const folder = temporaryFolder()
afterAll(() => folder.remove())

const everyService: readonly Service[] = [
  'ingest',
  'em-worker',
  'em-worker',
  'em-updater',
  'em-updater',
  'scoring',
  'scoring',
]

if (!kcatAvailable())
  throw new Error('kcat: expected on the PATH, the independent reader of these tests (apt-get install kcat)')

describeWithCluster('services on Kafka', { brokers: 1 }, cluster => {
  let pipeline: KafkaPipeline
  afterEach(() => pipeline.kill())

  it.each(['kafkajs', 'platformatic'])(
    'learn every event once and label it once, with two of each: %s',
    { timeout: 180_000 },
    async client => {
      pipeline = new KafkaPipeline(cluster().brokers, folder.path, { client })
      await pipeline.create()
      await pipeline.produce()
      await Promise.all(everyService.map(service => pipeline.start(service)))
      const snapshot = await pipeline.drained()
      await pipeline.verify(snapshot)
      const codes = await Promise.all(pipeline.running().map(running => running.stop('SIGTERM')))
      expect(codes).toEqual(everyService.map(() => 0))
    },
  )

  it(`keep that promise when processes are killed at random, ${runs} times`, {
    timeout: 120_000 + runs * 30_000,
  }, async () => {
    for (let killed = 0; killed < runs; ) {
      pipeline = new KafkaPipeline(cluster().brokers, folder.path)
      await pipeline.create()
      await Promise.all(everyService.map(service => pipeline.start(service)))
      const producing = pipeline.produce()
      for (let kill = 0; kill < 5 && killed < runs; kill++) {
        // A random moment: the wait is the fault that is injected, not a synchronisation.
        await new Promise(resolve => setTimeout(resolve, 200 + next() * 1500))
        const victims = pipeline.running()
        await victims[Math.floor(next() * victims.length)]?.kill()
        killed++
        await pipeline.supervise()
      }
      await producing
      await pipeline.verify(await pipeline.drained())
      await pipeline.stop()
    }
  })
})
