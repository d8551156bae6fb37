import { afterAll, beforeAll, it } from 'vitest'
import { type Cluster, startCluster } from '../fixtures/broker-process.ts'
import { javaKafkaAvailable } from '../fixtures/java.ts'
import { describeIf } from '../fixtures/kafka.ts'
import { kcatAvailable } from '../fixtures/kcat.ts'
import { Toxiproxy, toxiproxyAvailable } from '../fixtures/toxiproxy.ts'
import { faults, moment, survive } from './campaign.ts'

const runs = faults(50, 5)
const available = javaKafkaAvailable() && kcatAvailable() && toxiproxyAvailable()

/** Ways in which a network fails; each until it is healed. */
const failures = {
  'connections cut and refused': (proxy: Toxiproxy) => proxy.enable('broker', false),
  'silence to the broker': (proxy: Toxiproxy) =>
    proxy.add('broker', { type: 'timeout', attributes: { timeout: 0 }, stream: 'upstream' }),
  'silence from the broker': (proxy: Toxiproxy) =>
    proxy.add('broker', { type: 'timeout', attributes: { timeout: 0 }, stream: 'downstream' }),
  'delays of 0.2 to 1 s': (proxy: Toxiproxy) =>
    proxy.add('broker', { type: 'latency', attributes: { latency: 600, jitter: 400 }, stream: 'downstream' }),
  'connections reset': (proxy: Toxiproxy) =>
    proxy.add('broker', { type: 'reset_peer', attributes: { timeout: 0 }, stream: 'downstream' }),
} as const

describeIf(
  available,
  'services on Kafka learn and label every event once',
  'install Java 17, Maven, kcat and Go',
  () => {
    let proxy: Toxiproxy
    let cluster: Cluster
    beforeAll(async () => {
      proxy = await Toxiproxy.start()
      cluster = await startCluster({ advertise: (_, address) => proxy.forward('broker', address) })
    })
    afterAll(async () => {
      await cluster?.stop()
      proxy?.stop()
    })

    it(`when the network to the broker fails, ${runs} times`, { timeout: 240_000 + runs * 180_000 }, () =>
      survive({
        name: 'network',
        runs,
        pipeline: { brokers: cluster.brokers, direct: cluster.internalBrokers },
        loadMs: 3_000,
        async fault(_, next, run) {
          const names = Object.keys(failures) as (keyof typeof failures)[]
          const name = names[run % names.length]!
          await moment(1_000, next)
          await failures[name](proxy)
          await moment(4_000, next)
          await proxy.heal()
          return name
        },
      }),
    )
  },
)
