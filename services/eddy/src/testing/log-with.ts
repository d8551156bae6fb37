import type { EventLog } from '@eddy/log'

/** A log of which some parts are replaced; the rest is the log's own. */
export const logWith = (log: EventLog, parts: Partial<EventLog>): EventLog =>
  new Proxy(log, {
    get: (target, property) => {
      if (Object.hasOwn(parts, property)) return Reflect.get(parts, property)
      const own: unknown = Reflect.get(target, property)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
