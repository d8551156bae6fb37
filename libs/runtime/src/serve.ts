import type { FastifyInstance } from 'fastify'
import { Guard } from './access/guard.ts'
import { reread } from './access/reread.ts'
import { onHangup } from './hangup.ts'
import { createHttpServer, type HttpOptions, type HttpParts, listen } from './http-server.ts'
import { InFlight } from './in-flight.ts'
import type { Logger } from './logger.ts'

export interface ServeOptions extends HttpOptions {
  /** to a free port where the given one is taken */
  readonly mayMove?: boolean
  /** What the options are now, asked on SIGHUP: tokens and certificates are taken from them. Without it the signal ends the process. */
  readonly reread?: () => HttpOptions
}

/** The HTTP side of a process. */
export interface Serving {
  readonly port: number
  /** Accepts no connection any more; resolves when what is in flight has its answers, or has taken too long. */
  drain(): Promise<void>
  close(): Promise<void>
}

export interface ServeParts extends Omit<HttpParts, 'guard'> {
  readonly logger: Logger
  readonly now: () => number
  /** adds the routes of services */
  readonly addRoutes: (server: FastifyInstance) => void
}

/** Serves what every service has, and the routes of some. */
export async function serve(http: ServeOptions, { addRoutes, logger, now, ...parts }: ServeParts): Promise<Serving> {
  const guard = new Guard(http, logger, now)
  const server = createHttpServer(http, { ...parts, guard })
  const inFlight = new InFlight(server)
  addRoutes(server)
  const port = await listen(server, http)
  const stopRereading = rereadOnHangup(http, server, guard, logger)
  return {
    port,
    drain: () => inFlight.drain(),
    async close() {
      stopRereading()
      await server.close()
    },
  }
}

function rereadOnHangup(http: ServeOptions, server: FastifyInstance, guard: Guard, logger: Logger): () => void {
  const { reread: options } = http
  if (options === undefined) return () => {}
  return onHangup(() => {
    try {
      reread(server, guard, http, options())
      logger.info({ audit: 'reread' }, 'tokens and certificates were read again')
    } catch (error) {
      const reason = (error as Error).message
      logger.error(
        { audit: 'reread', reason },
        'tokens and certificates cannot be used: those read before stay in force',
      )
    }
  })
}
