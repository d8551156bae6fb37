import type { Snapshot } from '@eddy/messages'
import { describeSegments } from '@eddy/model'
import type { FastifyPluginAsync } from 'fastify'

/** `GET /v1/segments`: the segments of the newest snapshot, heaviest first. */
export const segmentsApi =
  (newestSnapshot: () => Snapshot | undefined): FastifyPluginAsync =>
  async server => {
    server.get('/v1/segments', (_request, reply) => {
      const snapshot = newestSnapshot()
      return snapshot === undefined
        ? reply.code(503).header('retry-after', '1').send({ error: 'segments: none yet, the model is warming up' })
        : {
            snapshot: Number(snapshot.version),
            provisional: snapshot.provisional,
            segments: describeSegments(snapshot),
          }
    })
  }
