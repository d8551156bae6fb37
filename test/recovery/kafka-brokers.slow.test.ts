import { it } from 'vitest'
import { choose, describeFaults, faults, moment, survive } from './campaign.ts'

const runs = faults(50, 3)

describeFaults('services on three brokers learn and label every event once', { brokers: 3 }, cluster => {
  it(`when one broker is killed and started again, ${runs} times`, { timeout: 240_000 + runs * 180_000 }, () =>
    survive({
      name: 'broker',
      runs,
      pipeline: { brokers: cluster().brokers },
      loadMs: 5_000,
      async fault(_, next) {
        await moment(1_000, next)
        const broker = choose(cluster().processes, next)
        await broker.kill()
        await moment(3_000, next)
        await broker.start()
        return `broker ${broker.id}`
      },
    }),
  )
})
