// Asks for an erasure and ends, as by kill −9, in the middle of it: the 40th batch is rewritten, and nothing after.
import type { EraseOptions } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { Erasures } from './erasures.ts'

const [directory = '', customer = ''] = process.argv.slice(2)
const log = openEmbeddedLog(directory)
const { erasure } = log.capabilities
let notes = 0
const dying = {
  ...erasure,
  erase: (topic: string, matches: Parameters<typeof erasure.erase>[1], options: EraseOptions = {}) =>
    erasure.erase(topic, matches, {
      ...options,
      note: removed => {
        if (++notes === 41) process.kill(process.pid, 'SIGKILL')
        return options.note!(removed)
      },
    }),
}
const erasures = new Erasures({
  log: new Proxy(log, {
    get: (target, name) => {
      if (name === 'capabilities') return { ...target.capabilities, erasure: dying }
      const own: unknown = Reflect.get(target, name)
      return typeof own === 'function' ? own.bind(target) : own
    },
  }),
  configuration: {
    topics: { events: 'events', features: 'features', labels: 'labels', deadLetters: 'dead' },
    model: { name: 'm' },
  } as never,
  features: ['x'],
  logger: { info() {}, error() {} },
  now: Date.now,
  newId: () => 'in-the-middle',
})
await erasures.ask([customer], 'ops')
await erasures.settled()
