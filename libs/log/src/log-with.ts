import type { EventLog } from './event-log.ts'

/** What of a log may be replaced: never what it can do. */
export type LogParts = Partial<Omit<EventLog, 'capabilities'>>

/** A log of which some parts are replaced; the rest, and what it can do, is the log's own. */
export const logWith = <L extends EventLog>(log: L, parts: LogParts): L =>
  new Proxy(log, {
    get: (target, property) => {
      if (Object.hasOwn(parts, property)) return Reflect.get(parts, property)
      const own: unknown = Reflect.get(target, property)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
