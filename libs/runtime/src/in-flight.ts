import type { FastifyInstance } from 'fastify'
import { changesNothing } from './media-type.ts'

/** How long what is in flight may take to end when no more is accepted, milliseconds. */
const patienceMs = 10_000

/**
 * The requests of a server that change something and have no answer yet. Whoever sent one that is cut off cannot know whether it was done,
 * and sends it again: so each is answered before the end.
 */
export class InFlight {
  readonly #server: FastifyInstance
  #count = 0
  #draining = false
  #noneLeft = (): void => {}

  constructor(server: FastifyInstance) {
    this.#server = server
    server.addHook('onRequest', async (request, reply) => {
      if (this.#draining) reply.header('connection', 'close')
      if (changesNothing.has(request.method)) return
      if (this.#draining)
        return reply.code(503).header('retry-after', '5').send({ error: 'stopping: nothing was done, retry later' })
      this.#count++
      // Also where the client has gone.
      reply.raw.once('close', () => {
        if (--this.#count === 0) this.#noneLeft()
      })
    })
    server.addHook('onSend', async (_request, reply) => {
      if (this.#draining) reply.header('connection', 'close')
    })
  }

  /** Accepts no connection any more; resolves when what is in flight has its answers, or has taken too long. */
  async drain(): Promise<void> {
    this.#draining = true
    this.#server.server.close()
    if (this.#count === 0) return
    await new Promise<void>(resolve => {
      this.#noneLeft = resolve
      setTimeout(resolve, patienceMs).unref()
    })
  }
}
